"""A Node process that asks Directus's own packages, one line of JSON for each question."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.demo import install


@dataclass(frozen=True, slots=True)
class Packages:
    """One process for all examples."""

    asked: IO[str]
    told: IO[str]

    def ask(self, question: object) -> Any:  # noqa: ANN401 - whatever JSON the script writes
        self.asked.write(json.dumps(question) + "\n")
        self.asked.flush()
        return json.loads(self.told.readline())


@contextmanager
def packages(script: Path, cwd: Path) -> Iterator[Packages]:
    directus = install.directus()
    modules = next(parent for parent in directus.cli.parents if parent.name == "node_modules")
    command = [str(directus.node), str(script), str(modules)]
    with subprocess.Popen(  # noqa: S603 - the command is ours
        command, cwd=cwd, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Packages(process.stdin, process.stdout)
        process.stdin.close()
