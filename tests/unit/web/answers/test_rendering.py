"""How pages are written: the fast path and the thorough path show the same."""

import asyncio
import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.views import CallerView, OneView, View, ViewByCustomer
from sidecar.web.answers.rendering import Rendering, render_page
from tests.doubles.secret_spellings import CLIENT_SECRETS, CODE, KEYS, PUBLIC, decoded, spellings

NAMES = st.sampled_from(["id", "object", "client_secret", "metadata", "Client_secret", "client_secret_"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["client_secret", "é", "\\u005f", '"', "\x00", *PUBLIC]),
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
    assert orjson.loads(b"[" + asyncio.run(Rendering(views)(Page(data, more=more))) + b"]") == shown
    assert [
        orjson.loads(line) for line in asyncio.run(Rendering(views, lines=True)(Page(data, more=more))).splitlines()
    ] == shown
    for page in (Page(data, more=more), Page(data, more=more, raw=raw)):
        assert orjson.loads(render_page(page, view)) == {"object": "list", "data": shown, "has_more": more}


def _in_texts(raw: str, letters: set[str]) -> bytes:
    """Write some letters of all texts as escapes, as a writer of JSON may: of those that stand in no escape."""
    for letter in letters:
        raw = raw.replace(letter, f"\\u{ord(letter):04x}")
    return raw.encode()


@given(
    PAGES,
    st.sampled_from(CLIENT_SECRETS + KEYS).flatmap(spellings),
    st.sampled_from(["value", "name", "entry", "deep"]),
    ONE,
    st.sets(st.sampled_from("_%=MKD")),
)
def test_no_page_has_a_secret_within(
    data: list[StripeObject], secret: str, place: str, view: View, letters: set[str]
) -> None:
    """O4: in each form, and however Stripe writes it, no page holds a secret that the view does not show."""
    view = View(everything=view.everything, attributes=view.attributes | {"metadata"})
    at: dict[str, object] = {"value": secret, "name": {secret: 1}, "entry": [secret], "deep": {"a": [{"b": secret}]}}
    data = [*data, {"id": "x_1", "object": "payment_intent", "metadata": at[place]}]
    raw = json.dumps({"object": "list", "data": data, "has_more": False})
    page = Page(data, more=False, raw=_in_texts(raw, letters))

    written = [
        render_page(page, view),
        render_page(Page(data, more=False), view),
        asyncio.run(Rendering(OneView(view))(page)),
        asyncio.run(Rendering(OneView(view), lines=True)(page)),
    ]

    assert orjson.loads(_in_texts(raw, letters)) == orjson.loads(raw)
    assert not [one for one in written if CODE in decoded(one.decode())]
