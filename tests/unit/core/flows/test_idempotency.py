"""W5: digests as idempotency keys. Any difference gives another digest, and a digest reveals nothing."""

from base64 import urlsafe_b64encode
from json import dumps

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.credentials import Credential, Source
from sidecar.core.flows.idempotency import client_key, joined

parts = st.lists(st.text(st.sampled_from("1:a "), max_size=4), max_size=4)


def session(user: str, number: int) -> Credential:
    claims = dumps({"id": user, "session": number, "iss": "directus"}).encode()
    token = f"eyJhbGciOiJIUzI1NiJ9.{urlsafe_b64encode(claims).decode().rstrip('=')}.{number}"
    return Credential(token, Source.COOKIE, "192.0.2.7")


def static(token: str) -> Credential:
    return Credential(token, Source.HEADER, "192.0.2.7")


@given(parts, parts)
def test_no_two_lists_of_parts_are_joined_alike(one: list[str], other: list[str]) -> None:
    """C1: moving a delimiter from one part to the next gives other bytes."""
    assert (joined(*one) == joined(*other)) is (one == other)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_name_fits_stripe(one: str, other: str) -> None:
    """A digest has 64 visible characters, of at most 255 (docs.stripe.com/api/idempotent_requests)."""
    name = client_key(static("token"), one, other)

    assert len(name) == 64
    assert name.isalnum()


@given(st.tuples(*[st.sampled_from("ab")] * 3), st.tuples(*[st.sampled_from("ab")] * 3))
def test_caller_operation_and_key_each_count(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """W5: two callers, two operations or two keys never share a digest; the same three always do."""
    first, second = (client_key(static(token), operation, key) for token, operation, key in (one, other))

    assert (first == second) is (one == other)


def test_a_refreshed_session_is_the_same_caller() -> None:
    """W5: a refreshed session keeps its keys, and another user's session has others."""
    first, refreshed, other = session("ada", 1), session("ada", 2), session("eve", 1)

    assert client_key(first, "refunds.create", "k") == client_key(refreshed, "refunds.create", "k")
    assert client_key(first, "refunds.create", "k") != client_key(other, "refunds.create", "k")


def test_a_static_token_is_no_user() -> None:
    """W5: a static token that is spelled like a user's identity is not that user."""
    assert client_key(session("ada", 1), "o", "k") != client_key(static("ada"), "o", "k")
    assert client_key(session("ada", 1), "o", "k") != client_key(static("user ada"), "o", "k")


def test_the_address_does_not_count() -> None:
    """A caller that continues elsewhere, as on another network, is still the same."""
    here, there = (Credential("token", Source.HEADER, address) for address in ("192.0.2.7", "192.0.2.8"))

    assert client_key(here, "o", "k") == client_key(there, "o", "k")


def test_a_name_shows_nothing() -> None:
    """S1: neither the token nor the client's key can be read from the digest."""
    name = client_key(static("MARKED-token"), "refunds.create", "MARKED-key")

    assert "MARKED" not in name


def test_a_name_survives_a_release() -> None:
    """A retry after a release has the digest of the first try: its derivation must never change."""
    expected = "34f0b91d1a2e1b47af641f0a78f1017adf2a8dd32c818ca3500fed2cc262cb13"

    assert client_key(static("token"), "refunds.create", "k") == expected
