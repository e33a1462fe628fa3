"""Which bodies count as signed by Stripe (docs.stripe.com/webhooks, "Verify webhook signatures manually")."""

import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.signature import Signatures
from tests.doubles.events import OTHER_SECRET, SECRET, digest, event, signature

BODY = event("customer.updated", "cus_1")
OURS = Signatures([SECRET])


def v1(moment: int, secret: str = SECRET) -> str:
    return f"v1={digest(BODY, secret, moment)}"


def test_signed() -> None:
    """A body signed now with the secret is accepted."""
    assert OURS.signed(BODY, [signature(BODY)])


@pytest.mark.parametrize("secrets", [(SECRET, OTHER_SECRET), (OTHER_SECRET, SECRET)])
@pytest.mark.parametrize("used", [SECRET, OTHER_SECRET])
def test_several_secrets(secrets: Sequence[str], used: str) -> None:
    """While a secret is replaced, both secrets are accepted, in either order."""
    assert Signatures(secrets).signed(BODY, [signature(BODY, secret=used)])


def test_several_signatures() -> None:
    """While Stripe replaces a secret it signs with both; one valid signature is enough, next to anything else."""
    now = int(time.time())
    header = f"t={now},{v1(now, OTHER_SECRET)},{v1(now)},v0=6ffbb59b2300aae63f272406069a9788598b792a"

    assert OURS.signed(BODY, [header])


SPOILED: dict[str, Callable[[int], Sequence[str]]] = {
    "none": lambda _: [],
    "empty": lambda _: [""],
    "no value": lambda _: ["t="],
    "no time's value": lambda _: ["v1="],
    "garbage": lambda _: ["garbage"],
    "separators": lambda _: ["=,=,="],
    "no signature": lambda now: [f"t={now}"],
    "no time": lambda now: [v1(now)],
    "no number": lambda now: [f"t=now,{v1(now)}"],
    "another time": lambda now: [f"t={now - 1},{v1(now)}"],
    "empty signature": lambda now: [f"t={now},v1="],
    "no ASCII": lambda now: [f"t={now},v1=é"],
    "cut short": lambda now: [f"t={now},{v1(now)[:-1]}"],
    "upper case": lambda now: [f"t={now},{v1(now).upper()}"],
    "another secret": lambda now: [f"t={now},{v1(now, OTHER_SECRET)}"],
    "no secret": lambda now: [f"t={now},{v1(now, '')}"],
    "another scheme": lambda now: [signature(BODY, at=now, scheme="v0")],
    "twice": lambda now: [signature(BODY, at=now)] * 2,
    "and another": lambda now: [signature(BODY, at=now), "t=1,v1=x"],
    "a long number": lambda _: ["t=" + "9" * 5000 + ",v1=x"],
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_not_signed(spoiled: Callable[[int], Sequence[str]]) -> None:
    """A signature that is missing, garbled, duplicated, or of another secret, scheme or time is refused."""
    assert not OURS.signed(BODY, spoiled(int(time.time())))


@pytest.mark.parametrize(("age", "counts"), [(0, True), (290, True), (310, False), (86_400, False)])
def test_age(age: int, *, counts: bool) -> None:
    """A body that was signed more than five minutes ago could be a replay, and is refused."""
    assert OURS.signed(BODY, [signature(BODY, at=int(time.time()) - age)]) is counts


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_byte(place: int, change: int) -> None:
    """A body with any single byte changed is refused."""
    other = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]

    assert not OURS.signed(other, [signature(BODY)])


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], b"\xef\xbb\xbf" + BODY, BODY.replace(b": ", b":")])
def test_another_body(body: bytes) -> None:
    """A longer or shorter body, and the same JSON written in another way, are refused too."""
    assert not OURS.signed(body, [signature(BODY)])


def test_no_text() -> None:
    """A body that is not UTF-8 is refused, even if it is signed."""
    assert not OURS.signed(b"\xff\xfe", [signature(b"\xff\xfe")])


@given(st.binary(max_size=50), st.text(max_size=80))
def test_whatever_is_sent(body: bytes, header: str) -> None:
    """V1: Without the secret no header is accepted, and none raises an unexpected error."""
    assert not OURS.signed(body, [header])


def test_no_secret_lets_nothing_in() -> None:
    """Without secrets every body is refused."""
    assert not Signatures([]).signed(BODY, [signature(BODY, secret="")])
