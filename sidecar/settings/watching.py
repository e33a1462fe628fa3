"""Tells when a file that settings come from has another content.

The content is compared and nothing else: Kubernetes swaps a symbolic link above the file, an editor writes in place
or renames, and some file systems tell no time of change that can be trusted. Of a content only a keyed hash is kept.
"""

import secrets
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from sidecar.settings.model import Settings
from sidecar.settings.variables import Variables

Contents = Mapping[Path, bytes | None]


class SettingsFiles:
    """`.env`, the files of NAME_FILE and the operator's own. Only regular ones: a pipe can be read only once."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def look(self, settings: Settings) -> Contents:
        """Read all of them; None is a file that cannot be read."""
        return {path: self._hash(path) for path in _paths(settings)}

    def _hash(self, path: Path) -> bytes | None:
        try:
            return blake2b(path.read_bytes(), key=self._secret).digest() if path.is_file() else None
        except OSError:
            return None


def _paths(settings: Settings) -> list[Path]:
    named = Variables.read().files(name.upper() for name in type(settings).model_fields)
    own = [settings.stripe_operations, settings.stripe_events]
    return [*named, *(path for path in own if path is not None)]
