"""Where `provision` puts the secrets that it makes: into files of their owner's alone, or on standard output."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TextIO

from sidecar.commands.administrator import AdministratorFault

_OWNER_ONLY = 0o600
SECRET_NAME = "SIDECAR_SECRET"  # noqa: S105 - a setting's name


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


@contextmanager
def nowhere(_path: Path | None) -> Iterator[TextIO]:
    """Take the place of `destination` where nothing is to be made."""
    yield StringIO()


def is_filled(path: Path) -> bool:
    """Whether there is a file with a text in it. Raises AdministratorFault for anything else, such as a folder."""
    try:
        if path.exists() and not path.is_file():
            raise AdministratorFault(f"{path} is no file, so no secret can stand there.")
        return path.exists() and bool(path.read_bytes().strip())
    except OSError as error:
        raise AdministratorFault(f"{path} cannot be read: {error.strerror}.") from None


@dataclass(frozen=True, slots=True)
class Files:
    """Where new secrets go; None is standard output. `open` opens such a place, or `nowhere`."""

    token: Path | None = None
    secret: Path | None = None
    open: Callable[[Path | None], AbstractContextManager[TextIO]] = destination

    @classmethod
    def of(cls, token: Path | None, secret: Path | None) -> "Files":
        """Put the secret beside the token where nothing else was said."""
        return cls(token, token.with_name(SECRET_NAME) if token is not None and secret is None else secret)
