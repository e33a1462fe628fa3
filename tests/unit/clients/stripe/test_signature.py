"""Which bodies count as signed by Stripe (docs.stripe.com/webhooks, "Verify webhook signatures manually")."""

import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.signature import Reason, Signatures, Unsigned
from tests.doubles.events import OTHER_SECRET, SECRET, digest, event, signature

BODY = event("customer.updated", "cus_1")
OURS = Signatures([SECRET])


def v1(moment: int, secret: str = SECRET) -> str:
    return f"v1={digest(BODY, secret, moment)}"


def signed(signatures: Signatures, body: bytes, headers: Sequence[str]) -> bool:
    return not isinstance(signatures.signed(body, headers), Unsigned)


def reason(signatures: Signatures, body: bytes, headers: Sequence[str]) -> Reason | None:
    found = signatures.signed(body, headers)
    return found.reason if isinstance(found, Unsigned) else None


def test_signed() -> None:
    """A body signed now with the secret is accepted, and the time at which it was signed is told."""
    now = int(time.time())

    assert OURS.signed(BODY, [signature(BODY, at=now)]) == now


@pytest.mark.parametrize("secrets", [(SECRET, OTHER_SECRET), (OTHER_SECRET, SECRET)])
@pytest.mark.parametrize("used", [SECRET, OTHER_SECRET])
def test_several_secrets(secrets: Sequence[str], used: str) -> None:
    """While a secret is replaced, both secrets are accepted, in either order."""
    assert signed(Signatures(secrets), BODY, [signature(BODY, secret=used)])


def test_several_signatures() -> None:
    """While Stripe replaces a secret it signs with both; one valid signature is enough, next to anything else."""
    now = int(time.time())
    header = f"t={now},{v1(now, OTHER_SECRET)},{v1(now)},v0=6ffbb59b2300aae63f272406069a9788598b792a"

    assert signed(OURS, BODY, [header])


ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
HEADER: dict[str, Callable[[int], Sequence[str]]] = {
    "none": lambda _: [],
    "empty": lambda _: [""],
    "no value": lambda _: ["t="],
    "no time's value": lambda _: ["v1="],
    "garbage": lambda _: ["garbage"],
    "separators": lambda _: ["=,=,="],
    "no signature": lambda now: [f"t={now}"],
    "no time": lambda now: [v1(now)],
    "no number": lambda now: [f"t=now,{v1(now)}"],
    "a signed number": lambda now: [f"t=+{now},{v1(now)}"],
    "other digits": lambda now: [f"t={str(now).translate(ARABIC)},{v1(now)}"],
    "two times": lambda now: [f"t={now},t={now - 9},{v1(now)}"],
    "a long number": lambda _: ["t=" + "9" * 5000 + ",v1=x"],
    "another scheme": lambda now: [signature(BODY, at=now, scheme="v0")],
    "twice": lambda now: [signature(BODY, at=now)] * 2,
    "and another": lambda now: [signature(BODY, at=now), "t=1,v1=x"],
}
SIGNATURE: dict[str, Callable[[int], Sequence[str]]] = {
    "another time": lambda now: [f"t={now - 1},{v1(now)}"],
    "empty signature": lambda now: [f"t={now},v1="],
    "no ASCII": lambda now: [f"t={now},v1=é"],
    "cut short": lambda now: [f"t={now},{v1(now)[:-1]}"],
    "upper case": lambda now: [f"t={now},v1={digest(BODY, SECRET, now).upper()}"],
    "another secret": lambda now: [f"t={now},{v1(now, OTHER_SECRET)}"],
    "no secret": lambda now: [f"t={now},{v1(now, '')}"],
    "another secret, long ago": lambda now: [signature(BODY, at=now - 9999, secret=OTHER_SECRET)],
}


@pytest.mark.parametrize("spoiled", HEADER.values(), ids=HEADER)
def test_no_readable_header(spoiled: Callable[[int], Sequence[str]]) -> None:
    """A header that is missing, garbled, duplicated, or without time or signature of the scheme is refused as such."""
    assert reason(OURS, BODY, spoiled(int(time.time()))) is Reason.HEADER


@pytest.mark.parametrize("spoiled", SIGNATURE.values(), ids=SIGNATURE)
def test_another_signature(spoiled: Callable[[int], Sequence[str]]) -> None:
    """A signature that no secret makes of this body and time is refused as such, however old it is."""
    assert reason(OURS, BODY, spoiled(int(time.time()))) is Reason.SIGNATURE


@pytest.mark.parametrize(
    ("age", "found"),
    [(0, None), (300, None), (-300, None), (301, Reason.TIME), (-301, Reason.TIME), (86_400, Reason.TIME)],
)
def test_age(age: int, found: Reason | None) -> None:
    """A body that was signed more than five minutes ago could be a replay; one from the future shows a wrong clock."""
    signatures = Signatures([SECRET], lambda: 1_700_000_000.9)

    assert reason(signatures, BODY, [signature(BODY, at=1_700_000_000 - age)]) is found


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_byte(place: int, change: int) -> None:
    """A body with any single byte changed is refused."""
    other = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]

    assert not signed(OURS, other, [signature(BODY)])


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], b"\xef\xbb\xbf" + BODY, BODY.replace(b": ", b":")])
def test_another_body(body: bytes) -> None:
    """A longer or shorter body, and the same JSON written in another way, are refused too."""
    assert not signed(OURS, body, [signature(BODY)])


def test_no_text() -> None:
    """A body that is not UTF-8 is refused, even if it is signed."""
    assert not signed(OURS, b"\xff\xfe", [signature(b"\xff\xfe")])


@given(st.binary(max_size=50), st.text(max_size=80))
def test_whatever_is_sent(body: bytes, header: str) -> None:
    """V1: Without the secret no header is accepted, and none raises an unexpected error."""
    assert not signed(OURS, body, [header])


def test_no_secret_lets_nothing_in() -> None:
    """Without secrets every body is refused."""
    assert not signed(Signatures([]), BODY, [signature(BODY, secret="")])
