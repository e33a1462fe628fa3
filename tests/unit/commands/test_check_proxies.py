"""What `check` says of proxies that are believed: a large network lets others name any address."""

from ipaddress import ip_network

import pytest

from sidecar.commands.check_proxies import proxy_lines
from sidecar.commands.lines import Word


def said(*networks: str) -> list[tuple[Word, str]]:
    return [(line.word, line.text) for line in proxy_lines([ip_network(network) for network in networks])]


@pytest.mark.parametrize(
    "networks",
    [
        ("0.0.0.0/0",),
        ("::/0",),
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("10.0.0.1/32", "::/1", "8000::/1"),
        ("::ffff:0:0/96",),
        ("64.0.0.0/2",),
        ("2000::/3",),
    ],
)
def test_everybody(networks: tuple[str, ...]) -> None:
    """D3: Whoever believes everybody, in whatever pieces, or a part of the Internet no proxy has, gets a fault."""
    [(word, text)] = [line for line in said(*networks) if line[0] is not Word.NOTE]

    assert word is Word.FAULT
    assert "name your proxies alone" in text


@pytest.mark.parametrize(
    ("networks", "count"),
    [
        (("10.0.0.0/8",), "16,777,216 addresses in 10.0.0.0/8"),
        (("10.244.0.0/16",), "65,536 addresses in 10.244.0.0/16"),
        (("10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24"), "512 addresses in 10.0.0.0/23"),
        (("104.16.0.0/13",), "524,288 addresses"),
        (("::ffff:10.244.0.0/112",), "65,536 addresses in 10.244.0.0/16"),
        (("fd00::/64",), "addresses in fd00::/64"),
    ],
)
def test_many(networks: tuple[str, ...], count: str) -> None:
    """D3: A network that other programs can be in, such as a cluster's pods, is noted with its size."""
    [(word, text)] = said(*networks)

    assert word is Word.NOTE
    assert count in text


@pytest.mark.parametrize("network", ["192.0.2.10/32", "2001:db8::1/128"])
def test_an_example(network: str) -> None:
    """The address that stands in our files as an example is nobody's, so the real proxy is missing."""
    [(word, text)] = said(network)

    assert (word, "example" in text) == (Word.FAULT, True)


@pytest.mark.parametrize("networks", [("127.0.0.1/32",), ("10.0.0.0/24", "::1/128"), ("172.28.80.2/32", "fd00::/120")])
def test_few(networks: tuple[str, ...]) -> None:
    """Small networks need no word."""
    assert said(*networks) == []


def test_none() -> None:
    """Without a proxy it is a note."""
    [(word, _)] = said()

    assert word is Word.NOTE
