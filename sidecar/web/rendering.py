"""How a page of objects is written. Two renderings that are equal write the same bytes, so their lists are shared."""

from dataclasses import dataclass

import orjson

from sidecar.core.interfaces import Page, StripeObject
from sidecar.core.projection import SECRETS, View

_SECRET_WORDS = tuple(name.encode() for name in SECRETS)


@dataclass(frozen=True, slots=True)
class Rendering:
    """`lines`: an object a line, each with its line end; else separated by commas."""

    view: View
    lines: bool = False

    def __call__(self, data: list[StripeObject]) -> bytes:
        objects = [self.view.project(entry) for entry in data]
        if self.lines:
            return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in objects)
        return orjson.dumps(objects)[1:-1]


def render_page(page: Page, view: View) -> bytes:
    """Write one page as Stripe's list object (docs.stripe.com/api/pagination)."""
    if page.raw is not None and _passes_unchanged(page.raw, view):
        return page.raw
    data = [view.project(entry) for entry in page.data]
    return orjson.dumps({"object": "list", "data": data, "has_more": page.more})


def _passes_unchanged(raw: bytes, view: View) -> bool:
    """A caller that sees everything gets Stripe's own bytes if no secret can stand in them, even spelt with escapes."""
    return view.everything and (view.secrets or not (b"\\u" in raw or any(word in raw for word in _SECRET_WORDS)))
