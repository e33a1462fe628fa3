"""Which files tell that settings may have changed."""

from pathlib import Path

import pytest

from sidecar.settings import Settings, load
from sidecar.settings.watching import SettingsFiles
from tests.doubles.running_app import KEY, environment


def test_env_file_and_what_it_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`.env` counts, and so do the files that it names; what the environment hides does not."""
    monkeypatch.chdir(tmp_path)
    for name, value in environment("http://directus", "http://stripe").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("STRIPE_LIVE_SECRET_KEY")
    monkeypatch.delenv("STRIPE_OPERATIONS")
    Path("key").write_text(KEY)
    Path(".env").write_text("STRIPE_LIVE_SECRET_KEY_FILE=key\nDIRECTUS_URL_FILE=hidden\n")
    files = SettingsFiles()

    before = files.look(load(Settings))
    Path("key").write_text(f"{KEY}2")
    changed = files.look(load(Settings))
    Path(".env").write_text("STRIPE_LIVE_SECRET_KEY_FILE=key\n")
    again = files.look(load(Settings))

    assert set(before) == {Path(".env"), Path("key")}
    assert [name for name in before if before[name] != changed[name]] == [Path("key")]
    assert [name for name in before if changed[name] != again[name]] == [Path(".env")]
