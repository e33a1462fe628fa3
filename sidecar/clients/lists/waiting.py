"""Objects of a list that wait in memory to be given, each as the text that Stripe wrote."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sidecar.clients.lists.account import created
from sidecar.core.pages import Listed, Page


class Waiting(NamedTuple):  # made for each object; a frozen dataclass takes four times as long
    """One object, with the time by which it is ordered."""

    created: int
    listed: Listed
    text: bytes

    @property
    def id(self) -> str | None:
        return self.listed.id

    @property
    def size(self) -> int:
        """Give what it counts as in memory, in bytes."""
        return len(self.text)


def waiting(page: Page) -> Iterator[Waiting]:
    """Raises StripeUnavailable for an object without a date."""
    return map(Waiting, map(created, page.listed), page.listed, page.texts)


def as_page(entries: Sequence[Waiting], *, more: bool) -> Page:
    written = b",".join([entry.text for entry in entries])
    return Page.skimmed(written, [entry.listed for entry in entries], more=more)


def size_of(entries: Sequence[Waiting]) -> int:
    return sum([len(entry.text) for entry in entries])
