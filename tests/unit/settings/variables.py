"""The environment of tests about settings."""

from collections.abc import Mapping

import pytest

from sidecar.settings import Settings


def set_only(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    """Leave these settings in the environment, and no other one."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
