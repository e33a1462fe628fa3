"""axe-core, from npm and held to its lock: what it finds against WCAG 2.2 A and AA and good practice."""

import shutil
from pathlib import Path

from playwright.async_api import Page

from deploy.demo import cache
from deploy.demo.progress import run, step

_LOCKED = Path(__file__).parent / "axe"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FINDINGS = """async tags => {
    const { violations } = await axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`));
}"""


async def findings(page: Page) -> list[str]:
    """Scan the page as it stands; its context must bypass the page's policy, which lets no foreign script in."""
    await page.add_script_tag(path=_script())
    found: list[str] = await page.evaluate(_FINDINGS, _TAGS)
    return found


def _script() -> Path:
    files = sorted(_LOCKED.iterdir())
    name = f"axe-{cache.fingerprint(*(file.read_bytes() for file in files))}"
    return cache.built(name, _install) / "node_modules/axe-core/axe.min.js"


def _install(folder: Path, log: Path) -> None:
    for file in _LOCKED.iterdir():
        shutil.copy(file, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    with step("Installing axe-core", "some seconds, once"):
        run(command, cwd=folder, log=log)
