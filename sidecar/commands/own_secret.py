"""The secret that signs what the service writes to Stripe. Directus does not know it, so only a file keeps it."""

import secrets

from sidecar.commands.lines import Line, Word
from sidecar.commands.secret_files import SECRET_NAME, Files, is_filled

_BYTES = 32
_OTHER = "a service that has one already must keep it: customers that it signed are believed only with it"


def provide_secret(files: Files, *, new_service: bool) -> Line:
    """Make a secret if its file has none; without a file only for a service that has just got its token.

    Raises AdministratorFault for a file that cannot be written.
    """
    path = files.secret
    if path is not None and is_filled(path):
        return Line(Word.UNCHANGED, f"{SECRET_NAME}, in {path}")
    if path is None and not new_service:
        return Line(Word.UNCHANGED, f"{SECRET_NAME}, which only the service knows: --secret-file makes one")
    with files.open(path) as file:
        secret = secrets.token_urlsafe(_BYTES)
        file.write(f"{secret}\n" if path else f"{SECRET_NAME}={secret}\n")
        file.flush()
    where = f"in {path}, for {SECRET_NAME}_FILE" if path else "shown once; keep it secret"
    return Line(Word.CREATED, f"{SECRET_NAME}, {where}; {_OTHER}")
