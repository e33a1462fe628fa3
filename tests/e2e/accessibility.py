"""axe-core, from npm: its findings against WCAG 2.2 A and AA and good practice."""

from playwright.async_api import Page

from deploy.demo import install

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FINDINGS = """async tags => {
    const { violations } = await axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target} ${node.failureSummary}`));
}"""


async def findings(page: Page) -> list[str]:
    """Scan the page in its present state; its context must bypass the page's policy, which allows no foreign script."""
    await page.add_script_tag(path=install.node_tools().modules / "axe-core/axe.min.js")
    found: list[str] = await page.evaluate(_FINDINGS, _TAGS)
    return found
