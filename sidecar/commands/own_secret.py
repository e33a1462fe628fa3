"""The secret that signs what the service writes to Stripe. Directus does not know it, so only a file keeps it."""

import secrets
from pathlib import Path

from sidecar.commands.lines import Line, Word
from sidecar.commands.secret_files import destination, is_filled

NAME = "SIDECAR_SECRET"
_BYTES = 32
_OTHER = "a service that has one already must keep it: customers that it signed are believed only with it"


def provide_secret(path: Path | None, *, new_service: bool) -> Line:
    """Make a secret if `path` has none; without a path only for a service that has just got its token.

    Raises AdministratorFault for a file that cannot be written.
    """
    if path is not None and is_filled(path):
        return Line(Word.UNCHANGED, f"{NAME}, in {path}")
    if path is None and not new_service:
        return Line(Word.UNCHANGED, f"{NAME}, which only the service knows: --secret-file makes one")
    with destination(path) as file:
        secret = secrets.token_urlsafe(_BYTES)
        file.write(f"{secret}\n" if path else f"{NAME}={secret}\n")
        file.flush()
    where = f"in {path}, for {NAME}_FILE" if path else "in the line above; keep it secret"
    return Line(Word.CREATED, f"{NAME}, {where}; {_OTHER}")
