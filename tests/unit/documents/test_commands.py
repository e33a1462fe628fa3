"""The commands in the documents exist, with their words, options and files."""

import re
import shlex
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from sidecar.__main__ import main
from tests import checks
from tests.documents.pages import DEPLOY, FRONT, PAGES, ROOT, SIDECAR, block_after, prose_of

DOCKERFILE = (ROOT / "Dockerfile").read_text()
CONTRIBUTING = "CONTRIBUTING.md"


def commands(page: str, marker: str) -> list[list[str]]:
    """Give the words of each command, without the variables before it and the comment behind it."""
    lines = [line.partition(" #")[0].strip() for line in block_after(page, marker).splitlines()]
    split = [shlex.split(line) for line in lines if line]
    return [[word for word in words if not re.match(r"[A-Z_]+=", word)] for words in split]


def sidecars(words: list[str]) -> list[str] | None:
    """Give the arguments of the service's own command line, None for another program."""
    for program in (["directus-stripe-sidecar"], ["python", "-m", "sidecar"]):
        if words[: len(program)] == program:
            return words[len(program) :]
    return None


OWN = [
    arguments
    for page, marker in (
        (FRONT, "five-commands"),
        (SIDECAR, "commands"),
        (SIDECAR, "make-flow"),
        (SIDECAR, "link"),
        (DEPLOY, "kubernetes-provision"),
    )
    for words in commands(page, marker)
    if (arguments := sidecars(words)) is not None
]


@pytest.mark.parametrize("arguments", OWN, ids=" ".join)
def test_the_command_line_takes_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the service in the documents is one that it has, with its options."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])

    assert ended.value.code == 0
    assert "usage: directus-stripe-sidecar" in capsys.readouterr().out


@pytest.mark.parametrize("words", [*commands(FRONT, "two-commands"), *commands(CONTRIBUTING, "loop")], ids=" ".join)
def test_scripts_are_there(words: list[str]) -> None:
    """Each script of the documents can be run."""
    assert (ROOT / words[0]).stat().st_mode & 0o111


@pytest.mark.parametrize(
    "words",
    [each for marker in ("loop", "all-checks", "by-hand") for each in commands(CONTRIBUTING, marker)],
    ids=" ".join,
)
def test_checks_are_there(words: list[str]) -> None:
    """Each check, module and script that CONTRIBUTING.md names is there."""
    program, *arguments = [word for word in words if word != "$python"]
    if program == "-m":
        assert find_spec(arguments[0])
    else:
        assert (ROOT / program).exists()
    if program == "./tests/run.sh" and arguments:
        assert arguments[0] in {"quick", *checks._CHECKS, *checks._ALONE}


def test_one_test() -> None:
    """The paths of single tests are there."""
    paths = [word for words in commands(CONTRIBUTING, "one-test") for word in words if word.startswith("tests/")]

    assert len(paths) == 3
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_images() -> None:
    """Images are built from targets that the Dockerfile has, and only what was built is run, by their commands."""
    built, targets, run = set(), set(), []
    for words in [*commands(DEPLOY, "images"), *commands(FRONT, "install")[1:2]]:
        if words[1] == "build":
            built.add(words[words.index("--tag") + 1])
            targets |= {words[words.index("--target") + 1]} if "--target" in words else set()
        else:
            run.append(next(word for word in words[2:] if word.startswith("directus-stripe-sidecar")))

    assert set(run) <= built
    assert targets <= set(re.findall(r"AS (\S+)", DOCKERFILE))


def test_compose() -> None:
    """The files and the service that the commands name are there."""
    files = [word for words in commands(DEPLOY, "compose") for word in words if word.endswith(".yaml")]
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]

    assert files
    assert [file for file in files if not (ROOT / "deploy" / file).exists()] == []
    assert "provision" in services
    assert (ROOT / commands(FRONT, "install")[2][3]).exists()


@pytest.mark.parametrize("words", commands(DEPLOY, "kubernetes"), ids=" ".join)
def test_kubernetes(words: list[str]) -> None:
    """Each folder that is rendered is one of those whose manifests other tests validate."""
    assert (ROOT / words[2] / "kustomization.yaml").exists()


def test_helm() -> None:
    """The chart is there, and has the values that the command sets."""
    words = shlex.split(block_after(DEPLOY, "helm").replace("\\\n", ""))
    chart = ROOT / words[words.index("install") + 2]
    values = yaml.safe_load((chart / "values.yaml").read_text())
    named = [word.partition("=")[0].split(".") for before, word in pairwise(words) if before == "--set"]

    assert [group for group, _ in named if group not in values] == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_are_there(page: str) -> None:
    """Each path of the project that a document names is there."""
    named = re.findall(r"`((?:\./)?(?:deploy|tests|sidecar|core|web|clients)/[\w./-]+)`", prose_of(page))
    places = (ROOT, ROOT / "sidecar", (ROOT / page).parent)

    assert [path for path in named if not any(is_there(place / path) for place in places)] == []


def is_there(path: Path) -> bool:
    return path.exists() or path.with_name(f"{path.name}.py").exists()
