"""Which address is the client's."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.client_address import client_address, neighborhood, subscriber
from sidecar.errors import InvalidPayload

PROXY = "10.0.0.1"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        (PROXY, [], PROXY),
        (PROXY, ["203.0.113.7"], "203.0.113.7"),
        (PROXY, ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (PROXY, ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (PROXY, ["203.0.113.7, 10.0.0.2", "10.0.0.3"], "203.0.113.7"),
        (PROXY, ["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        ("2001:db8:ffff::1", ["203.0.113.7"], "203.0.113.7"),
    ],
)
def test_the_first_address_that_no_trusted_proxy_has(peer: str, forwarded_for: list[str], expected: str) -> None:
    """The header is read from the right, through trusted proxies only."""
    assert client_address(peer, forwarded_for, TRUSTED) == expected


@given(st.lists(st.text()))
def test_an_untrusted_peer_is_the_client_itself(forwarded_for: list[str]) -> None:
    """P4: The header of a peer that is not a trusted proxy is ignored; the peer's own address counts."""
    assert client_address("203.0.113.7", forwarded_for, TRUSTED) == "203.0.113.7"
    assert client_address(PROXY, forwarded_for, ()) == PROXY


@given(st.lists(st.text() | st.ip_addresses().map(str)))
def test_spoofed_entries_are_left_of_the_real_one(spoofed: list[str]) -> None:
    """P4: Behind a proxy that appends, entries that the client wrote are never believed."""
    header = ",".join([*spoofed, " 203.0.113.7"])

    assert client_address(PROXY, [header], TRUSTED) == "203.0.113.7"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("\t203.0.113.7 ", "203.0.113.7"),
    ],
)
def test_one_client_has_one_spelling(written: str, expected: str) -> None:
    """C1: One address always gives the same text, however a proxy writes it, as peer and in the header."""
    assert client_address(PROXY, [written], TRUSTED) == expected
    assert client_address(written, [], TRUSTED) == expected


def test_a_mapped_address_of_a_proxy_is_that_proxy() -> None:
    """A dual-stack listener sees a trusted IPv4 proxy as ::ffff:10.0.0.1 and still trusts it."""
    assert client_address("::ffff:10.0.0.1", ["203.0.113.7"], TRUSTED) == "203.0.113.7"


@pytest.mark.parametrize(
    "hop",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.7/32",
        "[",
        "::g",
        "[2001:db8::1]x",
        "[2001:db8::1]]",
    ],
)
def test_a_trusted_proxy_that_passes_on_no_address_is_refused(hop: str) -> None:
    """P4: A guessed address could grant access, so an invalid one ends the request, and a text is not repeated."""
    with pytest.raises(InvalidPayload, match="X-Forwarded-For") as refusal:
        client_address(PROXY, [hop], TRUSTED)

    assert not hop.strip("[ ") or hop not in str(refusal.value)


@given(st.ip_addresses())
def test_the_result_is_an_address(address: object) -> None:
    """Every address is returned as one, a mapped IPv4 address as IPv4."""
    assert ip_address(client_address(str(address), [], ()))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_has_an_address(address: str, expected: str) -> None:
    """F1: all addresses of an IPv6 network that one subscriber has count as one."""
    assert subscriber(address) == expected


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::1", "::/48"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_neighborhood(address: str, shown: str) -> None:
    """An address is hidden among the 256 of its network, or in IPv6 among those of its site."""
    assert neighborhood(address) == shown
