"""The secret that `provision` makes: once, for its owner alone, and never over another one."""

from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter

from sidecar.commands.administrator import AdministratorFault
from sidecar.commands.lines import Word
from sidecar.commands.own_secret import provide_secret
from sidecar.commands.secret_files import Files
from sidecar.settings.secret_types import SidecarSecrets


def test_a_new_file(tmp_path: Path) -> None:
    """The file has a secret that the settings take, and only its owner may read it."""
    path = tmp_path / "secret"

    line = provide_secret(Files(secret=path), new_service=False)

    text = path.read_text(encoding="ascii").removesuffix("\n")
    assert line.word is Word.CREATED
    assert TypeAdapter(SidecarSecrets).validate_python(text) == (SecretStr(text),)
    assert path.stat().st_mode & 0o777 == 0o600
    assert text not in line.text


def test_a_secret_that_is_there_is_kept(tmp_path: Path) -> None:
    """Customers that it signed are believed only with it."""
    path = tmp_path / "secret"
    path.write_text("in use\n")

    assert provide_secret(Files(secret=path), new_service=True).word is Word.UNCHANGED
    assert path.read_text() == "in use\n"


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_gets_one(tmp_path: Path, text: str) -> None:
    """A file that was created empty, as with `install -m 600 /dev/null`, or with `echo`, is filled."""
    path = tmp_path / "secret"
    path.write_text(text)

    assert provide_secret(Files(secret=path), new_service=False).word is Word.CREATED
    assert len(path.read_text()) > 32


@pytest.mark.parametrize("new", [True, False])
def test_what_is_no_file_has_no_secret(tmp_path: Path, *, new: bool) -> None:
    """A folder, in whose place a file was meant, is not taken for a secret that the service has."""
    with pytest.raises(AdministratorFault, match="is no file"):
        provide_secret(Files(secret=tmp_path), new_service=new)


def test_no_two_are_alike(tmp_path: Path) -> None:
    """Each Directus gets a secret of its own."""
    secrets = [tmp_path / name for name in "ab"]
    for path in secrets:
        provide_secret(Files(secret=path), new_service=True)

    assert secrets[0].read_text() != secrets[1].read_text()


@pytest.mark.parametrize("new", [True, False])
def test_without_a_file(capsys: pytest.CaptureFixture[str], *, new: bool) -> None:
    """It is printed beside a new token alone: who runs the command again must not put a second one in its place."""
    line = provide_secret(Files(secret=None), new_service=new)

    out = capsys.readouterr().out
    assert out.startswith("SIDECAR_SECRET=") is new
    assert (line.word is Word.CREATED) is new


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is missing is a fault, and no secret is lost."""
    with pytest.raises(AdministratorFault, match="cannot be written"):
        provide_secret(Files(secret=tmp_path / "missing" / "secret"), new_service=True)


@pytest.mark.parametrize(
    ("token", "secret", "expected"),
    [
        (None, None, None),
        (Path("/run/token"), None, Path("/run/SIDECAR_SECRET")),
        (Path("/run/token"), Path("/run/other"), Path("/run/other")),
        (None, Path("/run/other"), Path("/run/other")),
    ],
)
def test_it_stands_beside_the_token(token: Path | None, secret: Path | None, expected: Path | None) -> None:
    """Who wants the token in a file does not want the secret on the screen."""
    assert Files.of(token, secret) == Files(token, expected)
