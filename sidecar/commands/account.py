"""The service user and its static token. The token is printed or written once; nobody can read it later."""

import secrets
from collections.abc import Generator
from pathlib import Path

from sidecar.commands.administrator import Administrator, AdministratorFault, Row
from sidecar.commands.lines import Line, Word
from sidecar.commands.secret_files import destination
from sidecar.settings import DirectusSettings

_FIRST_NAME = "Stripe sidecar"
_LONGEST_NAME = 50  # the length of Directus's column


def provide_account(
    admin: Administrator, policy: str, settings: DirectusSettings, token_file: Path | None
) -> Generator[Line, None, bool]:
    """Make sure that the policy has one user and the user a token; a new token goes to `token_file` or to stdout.

    The generator returns whether the token is new.
    """
    assigned = admin.rows("access", {"policy": {"_eq": policy}})
    users = [str(row["user"]) for row in assigned if row.get("user")]
    if len(users) < len(assigned) or len(users) > 1:
        raise AdministratorFault("The service policy has more than its one user; take it from all others.")
    collection = settings.stripe_customers_collection
    if users:
        user = users[0]
        yield Line(Word.UNCHANGED, "its user")
    else:
        user = str(admin.create("users", _new_user(collection, policy))["id"])
        yield Line(Word.CREATED, f'its user "{_FIRST_NAME} {collection}"')
    token = _provide_token(admin, user, token_file)
    yield token
    return token.word is Word.CREATED


def _new_user(collection: str, policy: str) -> Row:
    return {
        "first_name": _FIRST_NAME,
        "last_name": collection[:_LONGEST_NAME],
        "description": "Has no login, only the static token that the Stripe sidecar uses.",
        "policies": [{"policy": policy}],
    }


def _provide_token(admin: Administrator, user: str, token_file: Path | None) -> Line:
    row = admin.find(f"users/{user}") or {}
    if row.get("status") != "active":
        raise AdministratorFault("The service user is not active; activate it in Directus, then run this again.")
    if row.get("token"):
        return Line(Word.UNCHANGED, "its token, which cannot be shown again: for a new one clear it in Directus first")
    token = secrets.token_urlsafe(32)
    with destination(token_file) as file:
        admin.change(f"users/{user}", {"token": token})
        file.write(f"{token}\n" if token_file else f"DIRECTUS_SERVICE_TOKEN={token}\n")
        file.flush()
    where = f"in {token_file}, for DIRECTUS_SERVICE_TOKEN_FILE" if token_file else "in the line above; keep it secret"
    return Line(Word.CREATED, f"its token, {where}")
