"""How pages are written: the fast path and the thorough path show the same."""

import asyncio
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.skim import skimmed
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.views import CallerView, OneView, View, ViewByCustomer
from sidecar.web.answers.rendering import Rendering, render_found, render_page
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
    found = {"object": "search_result", "data": shown, "has_more": more, "next_page": None}
    for page in (Page(data, more=more), Page(data, more=more, raw=raw), skimmed(raw) or Page(data, more=more)):
        assert orjson.loads(render_page(page, view)) == {"object": "list", "data": shown, "has_more": more}
        assert orjson.loads(render_found(page, view)) == found


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
    read = skimmed(_in_texts(raw, letters)) or page  # as it is read where bytes tell

    written = [render_page(Page(data, more=False), view)]
    for one in (page, read):
        written += [render_page(one, view), render_found(one, view)]
        written += [asyncio.run(Rendering(OneView(view), lines)(one)) for lines in (False, True)]

    assert orjson.loads(_in_texts(raw, letters)) == orjson.loads(raw)
    assert not [one for one in written if CODE in decoded(one.decode())]


SECRET = "pi_1_secret_abc"
WHOLE = View(everything=True, customer_ids=True)


@pytest.mark.parametrize(
    ("kind", "beside", "view", "passes"),
    [
        ("customer", "", WHOLE, True),
        ("customer", f'"client_secret":"{SECRET}",', WHOLE, False),
        ("payment_intent", f'"client_secret":"{SECRET}",', View(everything=True, secrets=True), True),
        ("payment_intent", '"secret":"sk_live_abc",', View(everything=True, secrets=True), False),
        ("customer", "", View(customer_ids=True), False),
    ],
)
def test_what_passes_unchanged(kind: str, beside: str, view: View, *, passes: bool) -> None:
    """A page is passed on as Stripe wrote it exactly where the view hides nothing of it."""
    raw = f'{{"object": "list", "url": "/v1/x", "data": [{{{beside} "object": "{kind}"}}], "has_more": true}}'.encode()
    page = skimmed(raw)

    assert page is not None
    assert (render_page(page, view) == raw) == passes


def test_secrets_are_cut_from_what_stripe_wrote() -> None:
    """O4: a page with client secrets alone is written as Stripe wrote it without them, and not parsed."""
    entry = f'{{ "object": "payment_intent", "client_secret": "{SECRET}", "created": 1 }}'
    page = skimmed(f'{{"data": [{entry}, {entry}], "has_more": true}}'.encode())
    left = b'{ "object": "payment_intent", "created": 1 }'

    assert page is not None
    assert left + b", " + left in render_page(page, WHOLE)
    assert asyncio.run(Rendering(OneView(WHOLE), lines=True)(page)) == b'{"object":"payment_intent","created":1}\n' * 2


@pytest.mark.parametrize("form", ["page", "search", "array", "lines"])
def test_secrets_of_a_view_that_shows_them(form: str) -> None:
    """A view that shows the secrets of the objects has them in each form."""
    page = skimmed(
        f'{{"data":[{{"object":"payment_intent","client_secret":"{SECRET}","a":1}}],"has_more":true}}'.encode()
    )

    assert page is not None
    assert SECRET.encode() in _in_form(page, View(everything=True, customer_ids=True, secrets=True), form)


@pytest.mark.parametrize("form", ["page", "search", "array", "lines"])
@pytest.mark.parametrize("secret", [f"pi_3Abc_secret_{CODE}", f"pi_3Abc%5fsecret_{CODE}", *KEYS])
def test_a_secret_within_what_is_not_parsed(secret: str, form: str) -> None:
    """O4: a secret in another place than its own is left out of each form of a page that was not parsed before."""
    entry = f'{{"object":"payment_intent","client_secret":"{SECRET}","metadata":{{"a":"{secret}","b":"c"}}}}'
    page = skimmed(f'{{"data":[{entry}],"has_more":true}}'.encode())

    assert page is not None
    written = _in_form(page, WHOLE, form)
    assert b'"metadata":{"b":"c"}' in written
    assert CODE not in decoded(written.decode())


def _in_form(page: Page, view: View, form: str) -> bytes:
    if form in {"array", "lines"}:
        return asyncio.run(Rendering(OneView(view), lines=form == "lines")(page))
    return render_page(page, view) if form == "page" else render_found(page, view)


def test_kinds_with_another_secret_are_parsed() -> None:
    """O4: an object of a kind with other secret texts than a client secret is written without all of them."""
    page = skimmed(
        b'{"data":[{"object":"ephemeral_key","id":"ephkey_1","secret":"hidden","created":1}],"has_more":true}'
    )

    assert page is not None
    assert b"hidden" not in render_page(page, WHOLE)
    assert b"hidden" in render_page(page, View(everything=True, secrets=True))


def test_a_page_is_written_once_for_equal_views() -> None:
    """Callers with equal views share what was written; others do not."""
    page = skimmed(
        f'{{"data":[{{"object":"payment_intent","client_secret":"{SECRET}","a":1}}],"has_more":true}}'.encode()
    )

    assert page is not None
    first = render_page(page, WHOLE)
    assert render_page(page, View(everything=True, customer_ids=True)) is first
    assert SECRET.encode() in render_page(page, View(everything=True, customer_ids=True, secrets=True))
