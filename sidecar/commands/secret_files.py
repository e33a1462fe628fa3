"""Where `provision` puts a secret that it makes: into a file of its owner's alone, or on standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sidecar.commands.administrator import AdministratorFault

_OWNER_ONLY = 0o600


@contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """Open the file before the secret is made: one that cannot be written would be lost. Raises AdministratorFault."""
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _OWNER_ONLY)
        os.fchmod(descriptor, _OWNER_ONLY)
    except OSError as error:
        raise AdministratorFault(f"{path} cannot be written: {error.strerror}. Nothing was put there.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        yield file


def is_filled(path: Path) -> bool:
    """Whether there is a file with a text in it. Raises AdministratorFault for anything else, such as a folder."""
    try:
        if path.exists() and not path.is_file():
            raise AdministratorFault(f"{path} is no file, so no secret can stand there.")
        return path.exists() and bool(path.read_bytes().strip())
    except OSError as error:
        raise AdministratorFault(f"{path} cannot be read: {error.strerror}.") from None
