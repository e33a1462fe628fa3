"""The Dockerfile's steps, run one by one in a folder, since tests may have no container engine.

A virtual environment replaces the base image, and each absolute path of the image is resolved below
the stage's own root. Names of images and labels are ignored.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORE = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]


def instructions() -> list[tuple[str, str]]:
    """Give the Dockerfile as (instruction, rest), with its continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def ignored(path: Path) -> bool:
    """Say whether .dockerignore excludes `path`, relative to the context; the last match decides."""
    verdict = False
    for line in IGNORE:
        pattern = line.removeprefix("!")
        names = path.parts if pattern.startswith("**/") else [str(p) for p in (path, *path.parents[:-1])]
        deep = pattern.removeprefix("**/")
        if any(fnmatch(name, deep) and name.count("/") == deep.count("/") for name in names):
            verdict = not line.startswith("!")
    return verdict


@dataclass
class Stage:
    root: Path
    folder: str = "/"
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin"})
    said: dict[str, str] = field(default_factory=dict)

    def at(self, text: str) -> str:
        """Give `text` with the image's paths replaced by this machine's."""
        return re.sub(r"(?<![\w.])/(?=(venv|app|tmp|usr/local)\b)", f"{self.root}/", text)

    def path(self, name: str) -> Path:
        return self.root / os.path.join(self.folder, name).lstrip("/")  # noqa: PTH118 - an absolute name wins, as in an image

    def environment(self) -> dict[str, str]:
        return {name: self.at(value) for name, value in self.env.items()}

    def run(self, command: str) -> None:
        subprocess.run(  # noqa: S603 - the Dockerfile's own command
            ["/bin/sh", "-ec", self.at(command)],
            cwd=self.path("."),
            env=os.environ | self.environment(),
            check=True,
        )

    def copy(self, origin: Path, sources: list[str], target: str) -> None:
        for source in (origin / name.lstrip("/") for name in sources):
            if origin == ROOT and ignored(source.relative_to(ROOT)):
                raise FileNotFoundError(f"{source} is not in the build context")
            if source.is_dir():
                shutil.copytree(source, self.path(target), symlinks=True, dirs_exist_ok=True, ignore=_left_out)
            else:
                place = self.path(target) / source.name if target.endswith("/") else self.path(target)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, place)


def _left_out(folder: str, names: list[str]) -> list[str]:
    inside = Path(folder)
    if not inside.is_relative_to(ROOT):
        return []
    return [name for name in names if ignored((inside / name).relative_to(ROOT))]


def build(folder: Path) -> Stage:
    """Follow every instruction; give the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    for word, rest in instructions():
        match word, shlex.split(rest):
            case "FROM", [_, *alias]:
                stage = Stage(folder / f"stage{len(stages)}")
                stages[alias[-1] if alias else "final"] = stage
                venv.create(stage.path("usr/local"), with_pip=True)
            case "WORKDIR", [place]:
                stage.folder = place
                stage.path(".").mkdir(parents=True, exist_ok=True)
            case "COPY", [origin, *sources, target] if origin.startswith("--from="):
                stage.copy(stages[origin.removeprefix("--from=")].root, sources, target)
            case "COPY", [*sources, target]:
                stage.copy(ROOT, sources, target)
            case "RUN", _:
                stage.run(rest)
            case "ENV", pairs:
                for pair in pairs:
                    key, _, value = pair.partition("=")
                    stage.env[key] = value.replace("$PATH", stage.env["PATH"])
            case (("ARG" | "LABEL" | "USER" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT"), _):
                stage.said[word] = rest
            case _:
                raise NotImplementedError(word)
    return stage


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("image")
    yield build(folder)
    shutil.rmtree(folder)


def tree(stage: Stage) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in stage.root.rglob("*")}


def healthy(stage: Stage, env: dict[str, str]) -> bool:
    command = json.loads(stage.said["HEALTHCHECK"].partition("CMD ")[2])
    return subprocess.run(command, env=env, check=False, capture_output=True).returncode == 0  # noqa: S603 - the Dockerfile's own command


@pytest.fixture
def env(image: Stage, tmp_path: Path) -> dict[str, str]:
    """Give the image's variables, and those that an operator must set; Directus is down."""
    (tmp_path / "key").write_text("sk_test_made_up\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return image.environment() | {
        "DIRECTUS_URL": "http://127.0.0.1:9",
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "STRIPE_LIVE_SECRET_KEY_FILE": str(tmp_path / "key"),
        "SIDECAR_HOST": "127.0.0.1",
        "SIDECAR_PORT": str(port),
    }


def test_image_serves_and_stops(image: Stage, env: dict[str, str]) -> None:
    """The entry point becomes healthy while Directus is down, writes no file, and ends on SIGTERM with 0 (L4, L6)."""
    before = tree(image)
    command = json.loads(image.said["ENTRYPOINT"])
    deadline = time.monotonic() + 120

    with subprocess.Popen(command, cwd=image.path("."), env=env) as process:  # noqa: S603 - the Dockerfile's own command
        try:
            while not healthy(image, env) and process.poll() is None and time.monotonic() < deadline:
                pass
            was_healthy = healthy(image, env)
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=120)
        finally:
            process.kill()

    assert was_healthy
    assert status == 0
    assert tree(image) == before
    assert not healthy(image, env)


def test_image_refuses_bad_settings(image: Stage, env: dict[str, str]) -> None:
    """Without its settings the entry point ends with 2, and names each missing one (L5)."""
    command = json.loads(image.said["ENTRYPOINT"])
    wanted = {"DIRECTUS_URL", "STRIPE_CUSTOMERS_COLLECTION", "STRIPE_LIVE_SECRET_KEY"}
    bare = {name: value for name, value in env.items() if name.removesuffix("_FILE") not in wanted}

    ended = subprocess.run(  # noqa: S603 - the Dockerfile's own command
        command, cwd=image.path("."), env=bare, check=False, capture_output=True, text=True, timeout=120
    )

    assert ended.returncode == 2
    assert all(name in ended.stderr for name in wanted)


def test_image_holds_only_what_it_runs(image: Stage) -> None:
    """The image contains the compiled package and its imports, and nothing that installs more."""
    [packages] = image.path("/venv/lib").glob("*/site-packages")

    assert sorted(p.name for p in image.path(".").iterdir()) == ["LICENSE", "sidecar"]
    assert list(image.path("sidecar/__pycache__").glob("__main__.*.pyc"))
    assert (packages / "aiohttp").is_dir()
    assert not (packages / "setuptools").exists()
    assert not list(image.root.rglob("site-packages/pip"))


def test_image_runs_as_a_number_and_listens_outside(image: Stage) -> None:
    """The image names a numeric user other than root, and listens on all interfaces."""
    uid = int(image.said["USER"].partition(":")[0])

    assert uid > 0
    assert image.env["SIDECAR_HOST"] == "0.0.0.0"  # noqa: S104 - a container's own address
    assert image.said["EXPOSE"] == "8080"


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".git/config",
        "deploy/secrets/key",
        "tests/requirements.txt",
        "sidecar/__pycache__/a.pyc",
        "sidecar/core/__pycache__",
    ],
)
def test_build_context_is_closed(name: str) -> None:
    """Files that the image does not need are not in the build context."""
    assert ignored(Path(name))
