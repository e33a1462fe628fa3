"""What the gate remembers is bounded, contains no token, and never outlives a refusal, a logout or a change."""

import gc
from collections.abc import Sequence

import pytest

from sidecar.errors import InvalidPayload
from sidecar.web.admission.caller import name_of
from sidecar.web.admission.remembered import Addresses, CallerNames
from sidecar.web.keys import GATE
from tests.doubles.directus import User, full, grants
from tests.doubles.running_app import CLERK, LOGOUT_SECRET, RunningApp, bearer
from tests.unit.clients.directus.sources import credential


def test_names_of_users() -> None:
    """A remembered name is the one that the token has; nobody is remembered unasked."""
    names = CallerNames()

    assert names.of(credential("a")) is None
    assert names.remember(credential("a")) == names.of(credential("a")) == (name_of(credential("a")), None)
    assert names.of(credential("b")) is None


def test_names_are_bounded() -> None:
    """F6: The names that were not used for longest make room."""
    names = CallerNames(most=2)
    for token in ("a", "b", "c"):
        names.remember(credential(token))

    assert [names.of(credential(token)) is None for token in ("a", "b", "c")] == [True, False, False]


def test_no_token_is_kept() -> None:
    """S1: Nothing that the names refer to contains a token."""
    names = CallerNames()
    names.remember(credential("MARKED-token"))

    found: list[object] = [names.__dict__]
    for each in found:  # grows meanwhile
        found += [inner for inner in gc.get_referents(each) if isinstance(inner, str | bytes | dict)]
    assert not [each for each in found if isinstance(each, str | bytes) and "MARKED" in str(each)]


class Reading:
    def __init__(self) -> None:
        self.read: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, peer: str, forwarded: Sequence[str]) -> str:
        self.read.append((peer, tuple(forwarded)))
        if "nonsense" in forwarded:
            raise InvalidPayload("no address")
        return forwarded[-1] if forwarded else peer


def test_addresses() -> None:
    """C2: Equal headers from one peer are read once; any other peer or header is read by itself."""
    reading = Reading()
    addresses = Addresses(reading)
    asked: list[tuple[str, list[str]]] = [("p", []), ("p", ["a"]), ("q", ["a"]), ("p", ["a", "b"]), ("p", ["a,b"])]

    for _ in range(2):
        assert [addresses.of(peer, sent) for peer, sent in asked] == ["p", "a", "a", "b", "a,b"]

    assert len(reading.read) == len(asked)


def test_addresses_are_bounded() -> None:
    """F6: Neither many nor long headers take memory, and a refused one is refused each time."""
    reading = Reading()
    addresses = Addresses(reading, most=2)
    for sent in ("a", "b", "c", "a", "x" * 500, "x" * 500):
        addresses.of("p", [sent])
    for _ in range(2):
        addresses.of("p", [""] * 1_000)
        with pytest.raises(InvalidPayload):
            addresses.of("p", ["nonsense"])

    assert len(reading.read) == 10


async def test_made_up_tokens_are_not_remembered(app: RunningApp) -> None:
    """F6: Only the name of a caller whom Directus let in is remembered, so no flood of tokens evicts those in use."""
    names = app.runner.app[GATE].names
    app.tokens.add("MARKED-made-up")

    refused = await app.call(User("nobody", "MARKED-made-up", {}))
    admitted = await app.call(CLERK)

    assert (refused.status, admitted.status) == (401, 200)
    assert (names.of(credential("MARKED-made-up")) is None, names.of(credential(CLERK.token)) is None) == (True, False)


async def test_a_remembered_caller_is_asked_about_anew(app: RunningApp) -> None:
    """C4, C13: A caller whose name and query are remembered is refused at once after a change, and after a logout."""
    guest = User("leaver", "MARKED-leaver/+token", grants(read=full()))
    app.directus.add_users([guest])
    app.tokens.add(guest.token)
    before = [(await app.call(guest, "/stripe/payments?limit=3")).status for _ in range(2)]

    app.directus.users = {token: user for token, user in app.directus.users.items() if user.token != guest.token}
    await app.call(target="/logout", method="POST", headers=[("X-Sidecar-Logout", LOGOUT_SECRET), bearer(guest.token)])
    after = (await app.call(guest, "/stripe/payments?limit=3")).status

    assert (before, after) == ([200, 200], 401)
