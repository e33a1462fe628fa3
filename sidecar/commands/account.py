"""The users that `provision` makes, and the service's static token, which is printed or written once."""

import secrets
from collections.abc import Generator
from dataclasses import dataclass

from sidecar.commands.administrator import Administration, AdministratorFault, Row
from sidecar.commands.lines import Line, Word
from sidecar.commands.secret_files import Files

_LONGEST_NAME = 50  # the length of Directus's column


@dataclass(frozen=True, slots=True)
class Account:
    """A user without a login, as the app shows it."""

    first_name: str
    last_name: str
    description: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


def provide_user(admin: Administration, policy: str, account: Account) -> Generator[Line, None, str]:
    """Make sure that the policy has one user; the generator returns its ID."""
    assigned = admin.rows("access", {"policy": {"_eq": policy}})
    users = [str(row["user"]) for row in assigned if row.get("user")]
    if len(users) < len(assigned) or len(users) > 1:
        raise AdministratorFault(
            f'The policy of the user "{account.name}" has more than this one user; take it from all others.'
        )
    if users:
        yield Line(Word.UNCHANGED, "its user")
        _require_active(admin, users[0], account)
        return users[0]
    row = {
        "first_name": account.first_name,
        "last_name": account.last_name[:_LONGEST_NAME],
        "description": account.description,
        "policies": [{"policy": policy}],
    }
    user = str(admin.create("users", row)["id"])
    yield Line(Word.CREATED, f'its user "{account.name}"')
    return user


def _require_active(admin: Administration, user: str, account: Account) -> None:
    if (admin.find(f"users/{user}") or {}).get("status") != "active":
        raise AdministratorFault(
            f'The user "{account.name}" is not active; activate it in Directus, then run this again.'
        )


def provide_token(admin: Administration, user: str, files: Files) -> Line:
    """Make sure that the user has a static token; a new one goes to its file or to standard output."""
    row: Row = admin.find(f"users/{user}") or {}
    if row.get("token"):
        return Line(Word.UNCHANGED, "its token, which cannot be shown again: for a new one clear it in Directus first")
    token = secrets.token_urlsafe(32)
    token_file = files.token
    with files.open(token_file) as file:
        admin.change(f"users/{user}", {"token": token})
        file.write(f"{token}\n" if token_file else f"DIRECTUS_SERVICE_TOKEN={token}\n")
        file.flush()
    where = f"in {token_file}, for DIRECTUS_SERVICE_TOKEN_FILE" if token_file else "shown once; keep it secret"
    return Line(Word.CREATED, f"its token, {where}")
