"""Which one credential a logout ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.credentials import Source
from sidecar.core.access.logout import logged_out
from sidecar.errors import InvalidPayload, RequestError

tokens = st.text(st.sampled_from("ab."), min_size=1, max_size=3)


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=5), st.none() | tokens, st.none() | tokens)
def test_never_more_than_what_directus_ends(cookies: list[str], header: str | None, query: str | None) -> None:
    """C13: The first session cookie is ended and no other; only without one may header or query be meant."""
    authorization = [] if header is None else [f"Bearer {header}"]
    access_token = [] if query is None else [query]
    first = cookies[0] if cookies else ""

    try:
        found = logged_out(authorization=authorization, access_token=access_token, cookies=cookies)
    except RequestError:
        assert not first
        assert header is not None
        assert query is not None
    else:
        assert (found.token if found else None) == (first or header or query)
        assert found is None or (found.source is Source.COOKIE) is bool(first)


@pytest.mark.parametrize("cookie", [None, "a b", "\udc80", "a\x00"])
def test_a_first_cookie_that_is_no_token(cookie: str | None) -> None:
    """A5: A first cookie that cannot be a token, of which Directus ends nothing, hides all other credentials."""
    with pytest.raises(InvalidPayload):
        logged_out(authorization=["Bearer a"], access_token=[], cookies=[cookie, "b"])
