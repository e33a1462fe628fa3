"""Writes pages of objects. Two renderings that are equal write the same bytes, so callers can share one list."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from sidecar.core.interfaces import Page
from sidecar.core.operations.resources import StripeObject
from sidecar.core.views import CallerView, View, Views, shows_everything, without_secret_texts


@dataclass(frozen=True, slots=True)
class Rendering:
    """`lines`: one object a line, each with a line end. Otherwise commas separate them."""

    views: Views
    lines: bool = False

    async def __call__(self, data: list[StripeObject]) -> bytes:
        return _visible(data, await self.views.of(data), _lines if self.lines else _members)


def render_page(page: Page, view: CallerView) -> bytes:
    """Write one page as Stripe's list object (docs.stripe.com/api/pagination); for equal views it is written once."""
    if not isinstance(view, View):
        return _written(page, view)
    found = page.renderings.get(view)
    if found is None:
        found = page.renderings[view] = _written(page, view)
    return found


def render_found(page: Page, view: CallerView) -> bytes:
    """Write one page as Stripe's result of a search (docs.stripe.com/api/pagination/search)."""
    following = orjson.dumps({"has_more": page.more, "next_page": page.next_page})[1:]
    return b'{"object":"search_result","data":[' + _visible(page.data, view, _members) + b"]," + following


def _written(page: Page, view: CallerView) -> bytes:
    if page.raw is not None and _passes_unchanged(page.raw, view):
        return page.raw
    more = orjson.dumps(page.more)
    return b'{"object":"list","data":[' + _visible(page.data, view, _members) + b'],"has_more":' + more + b"}"


def _visible(data: list[StripeObject], view: CallerView, write: Callable[[list[StripeObject]], bytes]) -> bytes:
    """Write what the view shows.

    A walk through every member of every object costs more than all the rest. So where a view hides nothing but
    secrets, they are removed from their usual place, and only a page that may still contain one is walked through.
    """
    if shows_everything(view):
        written = write(data if view.secrets else [without_secret_texts(entry) for entry in data])
        if not view.withheld.may_be_in(written):
            return written
    return write([view.project(entry) for entry in data])


def _members(objects: list[StripeObject]) -> bytes:
    return orjson.dumps(objects)[1:-1]


def _lines(objects: list[StripeObject]) -> bytes:
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in objects)


def _passes_unchanged(raw: bytes, view: CallerView) -> bool:
    """Say whether Stripe's own bytes can go to the caller: it sees everything, and they contain no secret."""
    return shows_everything(view) and not view.withheld.may_be_in(raw)
