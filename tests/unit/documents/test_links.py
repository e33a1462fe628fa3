"""The links of the documents lead somewhere, and tables of contents lead everywhere."""

from urllib.parse import urlsplit

import pytest

from tests.documents.pages import DEPLOY, FRONT, PAGES, ROOT, SIDECAR, anchor, headings, links, text_of

_MOST = 11 * 1024  # characters of README.md; the rest has places of its own
WITH_CONTENTS = (FRONT, SIDECAR, DEPLOY, "CONTRIBUTING.md")


@pytest.mark.parametrize("page", PAGES)
def test_files_are_there(page: str) -> None:
    """Each link of a page into the project leads to a file or folder that is there."""
    within = [link.partition("#")[0] for link in links(page) if not urlsplit(link).scheme]

    assert [target for target in within if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_sections_are_there(page: str) -> None:
    """Each link to a section leads to a heading of that document."""
    within = [link.partition("#") for link in links(page) if "#" in link and not urlsplit(link).scheme]
    wrong = [
        f"{target}#{section}"
        for target, _, section in within
        if section not in anchors(str(((ROOT / page).parent / target).relative_to(ROOT)) if target else page)
    ]

    assert wrong == []


def anchors(page: str) -> set[str]:
    page = str((ROOT / page).resolve().relative_to(ROOT.resolve()))
    return {anchor(text) for _, text in headings(page)}


@pytest.mark.parametrize("page", PAGES)
def test_other_sites_have_the_form_of_an_address(page: str) -> None:
    """A link to another site is https, without a login, a port or a query."""
    outside = [urlsplit(link) for link in links(page) if urlsplit(link).scheme]

    assert [each.geturl() for each in outside if each.scheme != "https" or not each.hostname or each.query] == []
    assert [each.geturl() for each in outside if each.netloc != each.hostname] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_section_is_there_twice(page: str) -> None:
    """Within a document each heading has an anchor of its own."""
    found = [anchor(text) for level, text in headings(page)]

    assert [each for each in found if found.count(each) > 1 and page != "CHANGELOG.md"] == []


@pytest.mark.parametrize("page", WITH_CONTENTS)
def test_contents_name_every_section(page: str) -> None:
    """The contents at the head of a document lead to each of its sections, in their order."""
    head = text_of(page).partition("\n## ")[0]
    listed = [link.removeprefix("#") for link in links_in(head) if link.startswith("#")]
    least = 2 if page == FRONT else 3

    assert [anchor(text) for level, text in headings(page) if 1 < level <= least] == listed


def links_in(text: str) -> list[str]:
    return [part.partition(")")[0] for part in text.split("](")[1:]]


def test_readme_is_short() -> None:
    """README is read in some minutes."""
    assert len(text_of(FRONT)) <= _MOST


@pytest.mark.parametrize("page", [page for page in PAGES if page != FRONT])
def test_readme_leads_to_each_document(page: str) -> None:
    """README names every other document."""
    assert page in links(FRONT)
