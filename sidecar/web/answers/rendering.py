"""How a page of objects is written. Two renderings that are equal write the same bytes, so their lists are shared."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from sidecar.core.interfaces import Page
from sidecar.core.operations.resources import StripeObject
from sidecar.core.views import SECRETS, ScopedView, View

Sight = View | ScopedView
_SECRET_WORDS = tuple(name.encode() for name in SECRETS)


@dataclass(frozen=True, slots=True)
class Rendering:
    """`lines`: an object a line, each with its line end; else separated by commas."""

    view: Sight
    lines: bool = False

    def __call__(self, data: list[StripeObject]) -> bytes:
        return _seen(data, self.view, _lines if self.lines else _members)


def render_page(page: Page, view: Sight) -> bytes:
    """Write one page as Stripe's list object (docs.stripe.com/api/pagination)."""
    if page.raw is not None and _passes_unchanged(page.raw, view):
        return page.raw
    more = orjson.dumps(page.more)
    return b'{"object":"list","data":[' + _seen(page.data, view, _members) + b'],"has_more":' + more + b"}"


def _seen(data: list[StripeObject], view: Sight, write: Callable[[list[StripeObject]], bytes]) -> bytes:
    """Write what the view shows.

    For one that shows everything but secrets, walking through all of an object costs more than all else: secrets
    are left out where they usually stand, and the walk is for a page in which the word still stands somewhere. What
    orjson writes holds no escaped letters.
    """
    if view.everything and not view.secrets:
        written = write([_without_own_secrets(entry) for entry in data])
        if not any(word in written for word in _SECRET_WORDS):
            return written
    return write([view.project(entry) for entry in data])


def _without_own_secrets(entry: StripeObject) -> StripeObject:
    if SECRETS.isdisjoint(entry):
        return entry
    public = entry.copy()
    for name in SECRETS:
        public.pop(name, None)
    return public


def _members(objects: list[StripeObject]) -> bytes:
    return orjson.dumps(objects)[1:-1]


def _lines(objects: list[StripeObject]) -> bytes:
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in objects)


def _passes_unchanged(raw: bytes, view: Sight) -> bool:
    """A caller that sees everything gets Stripe's own bytes if no secret can stand in them, even spelt with escapes."""
    if not view.everything or view.secrets:
        return view.everything
    # One byte is found a hundred times quicker than two, and most pages hold no escape at all.
    return b"\\" not in raw and not any(word in raw for word in _SECRET_WORDS)
