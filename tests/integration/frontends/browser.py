"""Runs the JavaScript of the documents in Node, which has no cookies and no page: both are given to it here."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo import children
from deploy.demo.admin import Person
from deploy.demo.install import NodeTools
from deploy.demo.processes import environment

_PAGE = Path(__file__).with_name("page.mjs")
ADDRESS, EMAIL, PASSWORD = "https://directus.example.com", "clerk@example.com", "'secret'"


@dataclass(frozen=True, slots=True)
class Browser:
    """`folder` is empty and has room for scripts beside the npm packages that they import."""

    tools: NodeTools
    folder: Path

    async def run(
        self, url: str, person: Person, script: str, *wanted: str, origin: str | None = None
    ) -> dict[str, Any]:
        """Run a script on a page of `url` whose visitor is signed in; give the variables that it leaves.

        In the script the documents' address, e-mail address and password become the real ones. `location` is
        where the script leads the page. With `origin` the script believes that its page is there.
        """
        text = script.replace(ADDRESS, url).replace(EMAIL, person.email).replace(PASSWORD, json.dumps(person.password))
        modules = self.folder / "node_modules"
        if not modules.exists():
            modules.symlink_to(self.tools.modules)
        (self.folder / "page.mjs").write_text(_PAGE.read_text(encoding="utf-8"), encoding="utf-8")
        names = ", ".join(f"{name}: typeof {name} === 'undefined' ? null : {name}" for name in wanted)
        made = f"import './page.mjs';\n{text}\nawait left({{ {names} }});\n"
        (self.folder / "script.mjs").write_text(made, encoding="utf-8")
        given = {"PAGE": url, "ORIGIN": origin or url, "EMAIL": person.email, "PASSWORD": person.password}
        process = await children.spawn(
            [self.tools.node, self.folder / "script.mjs"],
            env=environment(given),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        found: dict[str, Any] = json.loads(out)
        return found
