"""The command line: its commands, the options of each, and the messages about wrong arguments."""

import pytest

import sidecar
from sidecar.__main__ import main

PURPOSES = {
    "serve": "Answer requests until SIGTERM or SIGINT.",
    "check": "Say whether Directus and Stripe agree with the settings; change nothing.",
    "provision": "Prepare a Directus: collection, ID field, service policy, user and token.",
    "reconcile": "Give items the customer IDs that a crash kept from them.",
}
OPTIONS = {
    "serve": set(),
    "check": set(),
    "provision": {"--token-file", "--create-collection", "--flow", "--email-field", "--yes"},
    "reconcile": {"--dry-run", "--since"},
    "link": {"--csv", "--email-field", "--yes"},
}


def ended(*arguments: str) -> int | str | None:
    """Give the exit code of a command line that ends before any command starts."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


def words(text: str) -> str:
    """Undo the line breaks of a help text."""
    return " ".join(text.split())


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's version and exits with 0."""
    assert ended("--version") == 0

    assert capsys.readouterr().out == f"directus-stripe-sidecar {sidecar.__version__}\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`-h` says what each command does, and which one runs without a name."""
    assert ended("-h") == 0

    said = words(capsys.readouterr().out)
    for name, purpose in PURPOSES.items():
        assert f"{name} {purpose[0].lower()}{purpose[1:-1]}" in said
    assert "Without a command it serves." in said


@pytest.mark.parametrize("command", PURPOSES)
def test_the_help_of_a_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`-h` of a command says what it does, and lists its own options and no others."""
    assert ended(command, "-h") == 0

    said = words(capsys.readouterr().out)
    assert PURPOSES[command] in said
    assert {option for options in OPTIONS.values() for option in options if option in said} == OPTIONS[command]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "invalid choice: 'nothing'"),
        (["check", "--dry-run"], "unrecognized arguments: --dry-run"),
        (["reconcile", "--token-file", "x"], "unrecognized arguments: --token-file x"),
        (["provision", "--since", "7d"], "unrecognized arguments: --since 7d"),
        (["provision", "--token-file"], "argument --token-file: expected one argument"),
        (["link", "--csv", "x", "--email-field", "mail"], "--email-field: not allowed with argument --csv"),
        (["serve", "check"], "unrecognized arguments: check"),
        (["--dry-run"], "unrecognized option --dry-run; an option follows its command"),
        (["--token-file", "x", "provision"], "unrecognized option --token-file; an option follows its command"),
        (["--vers"], "unrecognized option --vers"),
    ],
)
def test_a_wrong_argument(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A misplaced argument is named in the last line on standard error, with exit code 2."""
    assert ended(*arguments) == 2

    printed = capsys.readouterr()
    assert said in printed.err.splitlines()[-1]
    assert printed.out == ""


def test_serving_is_the_default(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the settings of the service are read, as for `serve`."""
    monkeypatch.setenv("SIDECAR_PORT", "none")

    codes = [main([]), main(["serve"])]

    first, second = capsys.readouterr().err.split("The settings cannot be used:\n")[1:]
    assert codes == [2, 2]
    assert first == second
    assert "SIDECAR_PORT: " in first
