"""The Dockerfile's steps, run one by one in a folder, since tests may have no container engine.

A virtual environment replaces the base image, and each absolute path of the image is resolved below
the stage's own root. Names of images and labels are ignored.
"""

import os
import re
import shlex
import shutil
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

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


def build(folder: Path) -> Mapping[str, Stage]:
    """Follow every instruction, and give the stages by their names."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    for word, rest in instructions():
        match word, shlex.split(rest):
            case "FROM", [origin, "AS", alias]:
                stage = stages[alias] = _begun(stages.get(origin), folder / alias)
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
            case (("ARG" | "LABEL" | "USER" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD"), _):
                stage.said[word] = rest
            case _:
                raise NotImplementedError(word)
    return stages


def _begun(parent: Stage | None, root: Path) -> Stage:
    """Begin a stage on another one, or on the base image."""
    if parent is None:
        stage = Stage(root)
        venv.create(stage.path("usr/local"), with_pip=True)
        return stage
    shutil.copytree(parent.root, root, symlinks=True)
    return Stage(root, parent.folder, dict(parent.env), dict(parent.said))
