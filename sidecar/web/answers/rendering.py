"""Writes pages of objects. Two renderings that are equal write the same bytes, so callers can share one list.

What Stripe wrote is passed on unparsed where a view hides nothing but secrets, and bytes tell that there are none or
where they stand. Everything else is parsed, and written object by object as the view shows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import orjson

from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page, texts
from sidecar.core.public_copies import written_publicly
from sidecar.core.reduced import reduced, view_of_all
from sidecar.core.views import CallerView, View, Views, shows_everything, without_secret_texts


@dataclass(frozen=True, slots=True)
class Rendering:
    """`lines`: one object a line, each with a line end. Otherwise commas separate them."""

    views: Views
    lines: bool = False

    async def __call__(self, page: Page) -> bytes:
        view = view_of_all(page, await self.views.of(page))
        form = _LINES if self.lines else _MEMBERS
        return _once(page, view, form.name, partial(_visible, form=form))


@dataclass(frozen=True, slots=True)
class _Form:
    """`write` writes objects, `adapt` what Stripe wrote of them, with commas between them."""

    name: str
    write: Callable[[Sequence[StripeObject]], bytes]
    adapt: Callable[[bytes], bytes]


def render_page(page: Page, view: CallerView) -> bytes:
    """Write one page as Stripe's list object (docs.stripe.com/api/pagination); for equal views it is written once."""
    return _once(page, view_of_all(page, view), "page", _written)


def render_found(page: Page, view: CallerView) -> bytes:
    """Write one page as Stripe's result of a search (docs.stripe.com/api/pagination/search)."""
    following = orjson.dumps({"has_more": page.more, "next_page": page.next_page})[1:]
    return b'{"object":"search_result","data":[' + _visible(page, view_of_all(page, view), _MEMBERS) + b"]," + following


def _once(page: Page, view: CallerView, form: str, write: Callable[[Page, CallerView], bytes]) -> bytes:
    """Write once what equal views show of a page in one form."""
    if not isinstance(view, View):
        return write(page, view)
    found = page.renderings.get((view, form))
    if found is None:
        found = page.renderings[view, form] = write(page, view)
    return found


def _written(page: Page, view: CallerView) -> bytes:
    if page.raw is not None and shows_everything(view) and not view.withheld.may_be_in(page.raw):
        return page.raw
    more = orjson.dumps(page.more)
    return b'{"object":"list","data":[' + _visible(page, view, _MEMBERS) + b'],"has_more":' + more + b"}"


def _visible(page: Page, view: CallerView, form: _Form) -> bytes:
    """Write what the view shows.

    A walk through every member of every object costs more than all the rest. So where a view hides nothing but
    secrets, they are removed from their usual place, and only a page that may still contain one is walked through.
    Where it shows a few attributes, those are copied as they are written.
    """
    if shows_everything(view):
        public = _public(page, view)
        if public is not None:
            return form.adapt(public)
        written = form.write(page.data if view.secrets else [without_secret_texts(entry) for entry in page])
        if not view.withheld.may_be_in(written):
            return written
    elif (few := reduced(page, view)) is not None:
        return form.adapt(few)
    return form.write([view.project(entry) for entry in page])


def _public(page: Page, view: View) -> bytes | None:
    """Give what Stripe wrote without the secrets that the view hides; None where bytes cannot tell."""
    if not view.secrets:
        return written_publicly(page)
    return None if page.written is None or view.withheld.may_be_in(page.written) else page.written


def _members(objects: Sequence[StripeObject]) -> bytes:
    return orjson.dumps(objects)[1:-1]


def _lines(objects: Sequence[StripeObject]) -> bytes:
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in objects)


def _one_a_line(written: bytes) -> bytes:
    compact: bytes = msgspec.json.format(b"[" + written + b"]", indent=-1)
    return b"".join(text + b"\n" for text in texts(compact[1:-1]))


_MEMBERS = _Form("members", _members, bytes)
_LINES = _Form("lines", _lines, _one_a_line)
