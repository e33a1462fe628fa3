"""How pages are written: the fast path and the thorough path show the same."""

import asyncio
import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.interfaces import Page
from sidecar.core.operations.resources import StripeObject
from sidecar.core.views import CallerView, OneView, View, ViewByCustomer
from sidecar.web.answers.rendering import Rendering, render_page

NAMES = st.sampled_from(["id", "object", "client_secret", "metadata", "Client_secret", "client_secret_"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["client_secret", "é", "\\u005f", '"', "\x00"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children, max_size=3),
)
CUSTOMERS = st.sampled_from(["cus_1", "cus_2"])
ENTRIES = st.dictionaries(NAMES, VALUES, max_size=4) | st.builds(
    lambda entry, customer: {**entry, "customer": customer}, st.dictionaries(NAMES, VALUES, max_size=4), CUSTOMERS
)
PAGES = st.lists(ENTRIES, max_size=4)
ONE = st.builds(View, everything=st.booleans(), secrets=st.booleans(), attributes=st.frozensets(NAMES, max_size=2))
VIEWS = ONE | st.builds(ViewByCustomer, st.dictionaries(CUSTOMERS, ONE))


@given(PAGES, VIEWS, st.booleans())
def test_a_page_shows_the_view(data: list[StripeObject], view: CallerView, more: bool) -> None:  # noqa: FBT001 - has_more
    """In each form a page contains exactly what the view shows, passed on unchanged or written anew."""
    shown = [view.project(entry) for entry in data]
    raw = json.dumps({"object": "list", "data": data, "has_more": more}).encode()

    views = OneView(view)
    assert orjson.loads(b"[" + asyncio.run(Rendering(views)(data)) + b"]") == shown
    assert [orjson.loads(line) for line in asyncio.run(Rendering(views, lines=True)(data)).splitlines()] == shown
    for page in (Page(data, more), Page(data, more, raw)):
        assert orjson.loads(render_page(page, view)) == {"object": "list", "data": shown, "has_more": more}
