"""`.env` in the working directory: what is read of it, what wins over it, and what is said of a line that is none."""

import os
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.__main__ import main
from sidecar.settings import Settings, SettingsFault, Variables, load
from tests.unit.settings.variables import set_only

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
REQUIRED = (
    "DIRECTUS_URL=http://directus:8055\nSTRIPE_CUSTOMERS_COLLECTION=customers\nSTRIPE_LIVE_SECRET_KEY=sk_test_hush\n"
)
LINE = "must be NAME=value, with a quote at both ends of the value or at none, or a comment that begins with #"


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The place of `.env`, with no setting in the environment."""
    set_only(monkeypatch, {})
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


def faults() -> list[str]:
    with pytest.raises(SettingsFault) as fault:
        load(Settings)
    return fault.value.faults


def test_it_is_read(env_file: Path) -> None:
    """A setting of `.env` is read as one of the environment."""
    env_file.write_text(f"{REQUIRED}# a comment\n\nexport SIDECAR_PORT = 81  # ours\nstripe_account='acct_1'\n")

    settings = load(Settings)

    assert (settings.sidecar_port, settings.stripe_account) == (81, "acct_1")


def test_no_file_is_no_fault(env_file: Path) -> None:
    """Without `.env` the environment alone is read."""
    assert not env_file.exists()
    assert faults() == [f"{line.partition('=')[0]}: is not set" for line in REQUIRED.splitlines()]


def test_windows(env_file: Path) -> None:
    """A file that an editor of Windows wrote, with a mark at its beginning and its line breaks, is read."""
    env_file.write_bytes(b"\xef\xbb\xbf" + REQUIRED.replace("\n", "\r\n").encode())

    assert load(Settings).stripe_customers_collection == "customers"


@pytest.mark.parametrize(("given", "port"), [("82", 82), ("", 8080)])
def test_the_environment_wins(given: str, port: int, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment has is not read from `.env`; an empty variable there takes a setting away."""
    env_file.write_text(f"{REQUIRED}SIDECAR_PORT=81\n")
    monkeypatch.setenv("SIDECAR_PORT", given)

    assert load(Settings).sidecar_port == port


def test_files_of_values(env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NAME_FILE works from `.env`, beside which a relative path begins, and either form of the environment wins."""
    (tmp_path / "token").write_text("of-a-file\n")
    env_file.write_text(f"{REQUIRED}DIRECTUS_SERVICE_TOKEN_FILE=token\n")
    found = [load(Settings).directus_service_token]
    monkeypatch.setenv("DIRECTUS_SERVICE_TOKEN", "of-the-environment")
    found.append(load(Settings).directus_service_token)

    assert [None if each is None else each.get_secret_value() for each in found] == ["of-a-file", "of-the-environment"]


def test_a_pipe(env_file: Path, tmp_path: Path) -> None:
    """A pipe, which gives its content once, is read once: its value stays when settings are read again."""
    os.mkfifo(tmp_path / "token")
    writing = threading.Thread(target=(tmp_path / "token").write_text, args=("of-a-pipe\n",), daemon=True)
    writing.start()
    env_file.write_text(f"{REQUIRED}DIRECTUS_SERVICE_TOKEN_FILE={tmp_path / 'token'}\n")

    found = [load(Settings).directus_service_token for _ in range(2)]
    writing.join()

    assert [None if each is None else each.get_secret_value() for each in found] == ["of-a-pipe"] * 2


def test_variables_of_a_library(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library reads from the environment alone is passed on to it, but nothing that the environment has."""
    env_file.write_text("OTEL_TRACES_SAMPLER=always_off\nOTEL_SERVICE_NAME=of-the-file\nOTHER=1\n")
    monkeypatch.delenv("OTHER", raising=False)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "")  # so that it is restored afterwards
    monkeypatch.delenv("OTEL_TRACES_SAMPLER")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "of-the-environment")

    Variables.read().pass_on("OTEL_")

    assert (os.environ["OTEL_TRACES_SAMPLER"], os.environ["OTEL_SERVICE_NAME"]) == ("always_off", "of-the-environment")
    assert "OTHER" not in os.environ


def test_both_forms_in_the_file(env_file: Path) -> None:
    """A setting that `.env` gives in both forms is a fault, as in the environment."""
    env_file.write_text(f"{REQUIRED}SIDECAR_PORT=81\nSIDECAR_PORT_FILE=port\n")

    assert faults() == ["SIDECAR_PORT: given twice; remove SIDECAR_PORT or SIDECAR_PORT_FILE"]


def test_a_dollar_is_a_dollar(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable is put into a value, so no part of a password is lost."""
    monkeypatch.setenv("HUSH", "hush")
    env_file.write_text(REQUIRED + "DIRECTUS_SERVICE_TOKEN='a${HUSH}b$HUSH'\n")

    token = load(Settings).directus_service_token

    assert token is not None
    assert token.get_secret_value() == "a${HUSH}b$HUSH"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("\n\nDIRECTUS URL=hush\n", f".env, line 6: {LINE}"),
        ("STRIPE_ACCOUNT: hush\n", f".env, line 4: {LINE}"),
        ("STRIPE_ACCOUNT\n", f".env, line 4: {LINE}"),
        ("# ok\nSTRIPE_ACCOUNT='hush\n", f".env, line 5: {LINE}"),
        ("SIDECAR_PORT=1\nSIDECAR_PORT=2\n", ".env, line 5: sets what line 4 sets; remove one of them"),
    ],
)
def test_a_line_that_cannot_be_read(env_file: Path, lines: str, fault: str) -> None:
    """L5, S1: such a line ends the start; the fault has its number and nothing of it."""
    env_file.write_text(REQUIRED + lines)

    assert faults() == [fault]


def test_faults_of_lines_and_of_values(env_file: Path) -> None:
    """L5: what cannot be read and what cannot be used is said at once."""
    env_file.write_text(f"{REQUIRED}STRIPE_ACCOUNT: hush\nSIDECAR_PORT=hush\n")

    assert faults() == [f".env, line 4: {LINE}", "SIDECAR_PORT: must be the number of a port alone, such as 8080"]


def test_another_encoding(env_file: Path) -> None:
    """L5: a file in UTF-16, as PowerShell writes one, is told so."""
    env_file.write_text(REQUIRED, encoding="utf-16")

    assert faults()[0] == ".env: is not UTF-8; save it in that encoding"


def test_a_folder(env_file: Path) -> None:
    """L5: Docker's folder in the place of a file that is not there is told apart."""
    env_file.mkdir()

    assert faults()[0] == ".env: is a folder; Docker makes one where the file that it mounts is not there"


def test_every_command_reads_it(env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The service and each command read `.env`."""
    env_file.write_text("SIDECAR_PORT\n")

    codes = [main([command]) for command in ("serve", "check", "provision", "reconcile")]

    assert codes == [2, 2, 2, 2]
    assert capsys.readouterr().err.count(".env, line 1: ") == 4


def test_the_example_lacks_the_key_alone(env_file: Path) -> None:
    """`.env.example` as it is lacks a key, and nothing else."""
    env_file.write_text(EXAMPLE)

    [fault] = faults()
    assert fault.startswith("STRIPE_LIVE_SECRET_KEY: is still an example's placeholder: ")


def uncommented() -> str:
    """Give the example with every default in force, and a key."""
    lines = re.sub(r"^#([A-Z_]+=)(?=.)", r"\1", EXAMPLE, flags=re.MULTILINE)
    return lines.replace("sk_test_replace_me", "sk_test_hush")


def test_the_examples_defaults_are_the_defaults(env_file: Path) -> None:
    """Without their # the lines of the example change nothing."""
    env_file.write_text(EXAMPLE.replace("sk_test_replace_me", "sk_test_hush"))
    plain = load(Settings)
    env_file.write_text(uncommented())

    assert load(Settings) == plain


def read_by_a_shell(path: Path) -> dict[str, str]:
    command = ["sh", "-aeuc", f". '{path}'; env -0"]
    told = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, check=True)  # noqa: S603 - our own file
    return dict(each.split("=", 1) for each in told.stdout.decode().split("\0") if "=" in each)


def read_by_docker(path: Path) -> dict[str, str]:
    """`docker run --env-file` passes on what stands after the first =, quotes and all (seen with Docker 28.2)."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("read", [read_by_a_shell, read_by_docker])
def test_other_readers(read: Callable[[Path], dict[str, str]], env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell and Docker make of the example's lines what the sidecar makes of them, JSON included."""
    text = uncommented().replace('"email": "email"', '"mail": ["email", "x"]')
    env_file.write_text(text)
    ours = load(Settings)
    given = read(env_file)
    env_file.unlink()
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert load(Settings) == ours
    assert ours.stripe_field_map["mail"] == ("email", "x")
