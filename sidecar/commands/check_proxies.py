"""Judges for `check` how many addresses TRUSTED_PROXIES believes: whoever has one can claim to be any client."""

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import groupby

from sidecar.commands.lines import Line, Word

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MANY = 256  # addresses; a network of pods has more
_LARGEST = {4: 8, 6: 7}  # bits of 10.0.0.0/8 and fc00::/7; nobody's proxies have more
_MAPPED = 96  # bits in front of an IPv4 address
_EXAMPLES = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)  # RFC 5737, RFC 3849


def proxy_lines(networks: Sequence[Network]) -> Iterator[Line]:
    """Give no line where the networks are small."""
    if not networks:
        yield Line(
            Word.NOTE,
            "TRUSTED_PROXIES is empty: if there is a proxy in front, name its address, or all callers seem to have it",
        )
    for network in _joined(networks):
        if network.prefixlen < _LARGEST[network.version]:
            yield Line(
                Word.FAULT,
                f"TRUSTED_PROXIES believes everybody{_in(network)}, so any caller can claim any address: name your "
                "proxies alone",
            )
        elif any(example.version == network.version and example.overlaps(network) for example in _EXAMPLES):
            yield Line(Word.FAULT, f"TRUSTED_PROXIES has the example {network}: name your proxies' addresses instead")
        elif network.num_addresses > _MANY:
            yield Line(
                Word.NOTE,
                f"TRUSTED_PROXIES believes {network.num_addresses:,} addresses{_in(network)}: every program that has "
                "one of them, such as another pod, can claim to be any client; name your proxies alone",
            )


def _in(network: Network) -> str:
    return f" in {network}" if network.prefixlen else ""


def _joined(networks: Sequence[Network]) -> Iterator[Network]:
    """Put neighbors together: two halves of the Internet are everybody too."""
    plain = sorted(map(_plain, networks), key=lambda network: network.version)
    for _, same in groupby(plain, key=lambda network: network.version):
        yield from ipaddress.collapse_addresses(same)  # type: ignore[type-var]  # of one version


def _plain(network: Network) -> Network:
    """Give the IPv4 network that an IPv4-mapped one stands for (RFC 4291, 2.5.5.2)."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    bits = network.prefixlen - _MAPPED
    return network if mapped is None or bits < 0 else ipaddress.ip_network((mapped, bits))
