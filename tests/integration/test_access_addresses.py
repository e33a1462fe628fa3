"""A policy's `ip_access`: the verdict depends on the client's address, and no client can choose that address.

Directus judges by the address that the sidecar passes on. The stack's sidecar trusts 127.0.0.1, the address of nginx
and of its other clients; it does not trust a peer with another loopback address.
"""

import asyncio
import json

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles.waiting import eventually
from tests.integration.asking import Headers, ask, new_request_id, verdict
from tests.integration.conftest import Newcomer

READ = Rule("customers", "read")
OFFICE, HOME = "10.9.8.7", "10.9.8.8"
GRANTED, REFUSED = (200, None), (401, "FORBIDDEN")


def forwarded_for(*values: str) -> Headers:
    return [("X-Forwarded-For", value) for value in values]


FORWARDED: dict[str, tuple[Headers, tuple[int, str | None]]] = {
    "office": (forwarded_for(OFFICE), GRANTED),
    "home, then office": (forwarded_for(f"{HOME}, {OFFICE}"), GRANTED),
    "home, then office, in two headers": (forwarded_for(HOME, OFFICE), GRANTED),
    "office, then the proxy": (forwarded_for(f"{OFFICE}, 127.0.0.1"), GRANTED),
    "office as IPv6": (forwarded_for(f"::ffff:{OFFICE}"), GRANTED),
    "office with a port": (forwarded_for(f"{OFFICE}:50000"), GRANTED),
    "home": (forwarded_for(HOME), REFUSED),
    "office, then home": (forwarded_for(f"{OFFICE}, {HOME}"), REFUSED),
    "office, then home, in two headers": (forwarded_for(OFFICE, HOME), REFUSED),
    "nothing": ([], REFUSED),
}
SPOOFS: dict[str, Headers] = {
    "one": forwarded_for(OFFICE),
    "two headers": forwarded_for(OFFICE, OFFICE),
    "two in one": forwarded_for(f"{OFFICE}, {OFFICE}"),
    "underscores": [("X_Forwarded_For", OFFICE)],
    "Forwarded": [("Forwarded", f"for={OFFICE}")],
    "others": [(name, OFFICE) for name in ("X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP")],
    "named in Connection": [*forwarded_for(OFFICE), ("Connection", "X-Forwarded-For")],
}


@pytest.fixture
async def official(newcomer: Newcomer) -> Person:
    """A person who may read, but only from the office."""
    return await newcomer(READ, ip_access=[OFFICE])


@pytest.mark.parametrize(("forwarded", "expected"), FORWARDED.values(), ids=FORWARDED)
async def test_trusted_peer(
    stack: Stack, official: Person, forwarded: Headers, expected: tuple[int, str | None]
) -> None:
    """The address is the last one in X-Forwarded-For that is not a trusted proxy's."""
    answer = await ask(stack.main_sidecar.url, "/stripe/customers", official.token, headers=forwarded)

    assert verdict(answer) == expected


@pytest.mark.parametrize("spoof", SPOOFS.values(), ids=SPOOFS)
async def test_untrusted_peer(stack: Stack, newcomer: Newcomer, official: Person, spoof: Headers) -> None:
    """P4: an untrusted peer is judged by its own address, whatever its headers say."""
    own = await newcomer(READ, ip_access=["127.0.0.2"])

    answers = [
        await ask(stack.main_sidecar.url, "/stripe/customers", person.token, headers=spoof, source="127.0.0.2")
        for person in (official, own)
    ]

    assert [verdict(answer) for answer in answers] == [REFUSED, GRANTED]


@pytest.mark.parametrize("spoof", SPOOFS.values(), ids=SPOOFS)
async def test_through_nginx(stack: Stack, newcomer: Newcomer, official: Person, spoof: Headers) -> None:
    """P4: through nginx every client is judged by the address that nginx sees, whatever its headers say."""
    own = await newcomer(READ, ip_access=["127.0.0.3"])

    claimed = await ask(stack.proxy.url, "/stripe/customers", official.token, headers=spoof, source="127.0.0.3")
    true = await ask(stack.proxy.url, "/stripe/customers", own.token, headers=spoof, source="127.0.0.3")
    elsewhere = await ask(stack.proxy.url, "/stripe/customers", own.token, headers=spoof, source="127.0.0.4")

    assert [verdict(answer) for answer in (claimed, true, elsewhere)] == [REFUSED, GRANTED, REFUSED]


async def test_malformed_address(stack: Stack, official: Person) -> None:
    """If a trusted proxy passes on something other than an address, the answer is a 400, and nobody is let in."""
    answer = await ask(stack.main_sidecar.url, "/stripe/customers", official.token, headers=forwarded_for("unknown"))

    assert verdict(answer) == (400, "INVALID_PAYLOAD")


async def test_cached_answers_are_kept_apart(stack: Stack, official: Person) -> None:
    """C1, C2: remembered answers for two addresses are never mixed up, in any order and concurrently."""
    asked = {new_request_id(): address for _ in range(10) for address in (OFFICE, HOME, "127.0.0.1")}

    async def from_there(request_id: str, address: str) -> tuple[int, str | None]:
        headers = [*forwarded_for(address), ("X-Request-Id", request_id)]
        return verdict(await ask(stack.main_sidecar.url, "/stripe/customers", official.token, headers=headers))

    one_by_one = [await from_there(*each) for each in asked.items()]
    at_once = await asyncio.gather(*(from_there(*each) for each in asked.items()))

    expected = [GRANTED if address == OFFICE else REFUSED for address in asked.values()]
    assert one_by_one == expected
    assert list(at_once) == expected
    await eventually(lambda: len(found_how(stack, asked)) == 2 * len(asked))
    assert found_how(stack, asked).count("asked") == 3


def found_how(stack: Stack, asked: dict[str, str]) -> list[str]:
    """Say how the permissions were found for each request with one of these IDs, by the sidecar's log."""
    records = [json.loads(line) for line in stack.main_sidecar.log.read_text().splitlines()]
    return [record["permissions"] for record in records if record.get("request_id") in asked]
