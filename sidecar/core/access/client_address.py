"""The client's address. Directus grants by address (a policy's `ip_access`), so a forged one would be a grant.

`X-Forwarded-For` is read from the right, and only as far as proxies that the operator trusts wrote it: the first
address that is no trusted proxy's is the client's.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from sidecar.errors import InvalidPayload

Address = IPv4Address | IPv6Address
_SUBSCRIBER, _SITE = 64, 48  # bits of IPv6
_NEIGHBORS = 24  # bits of IPv4


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Give the client's address in its shortest form; `forwarded_for` has the header's values in order.

    Raises InvalidPayload where a trusted proxy passed on something that is not an address.
    """
    address = _parse(peer)
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    while hops and any(address in network for network in trusted):
        address = _parse(hops.pop())
    return str(address)


def is_trusted(peer: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Say whether the headers are a trusted proxy's word; `peer` is the other end of the connection."""
    try:
        address = _parse(peer)
    except InvalidPayload:
        return False
    return any(address in network for network in trusted)


def subscriber(address: str) -> str:
    """Name who has this address: of IPv6 one subscriber has at least a /64 (RFC 6177), and every address in it."""
    return address if ":" not in address else str(ip_network((address, _SUBSCRIBER), strict=False))


def neighborhood(address: str) -> str:
    """Give the network that hides who of many it is: of IPv4 a /24, of IPv6 a /48, which is one site's (RFC 6177)."""
    return str(ip_network((address, _SITE if ":" in address else _NEIGHBORS), strict=False))


def _parse(text: str) -> Address:
    host = text.strip()
    if host.startswith("["):  # [2001:db8::1]:443, as some load balancers write it
        host, _, port = host[1:].partition("]")
        host = host if port == "" or port.startswith(":") else ""
    elif host.count(":") == 1:  # 192.0.2.1:443
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        raise InvalidPayload(
            "X-Forwarded-For contains something that is not an address; the proxy must set it."
        ) from None
    return getattr(address, "ipv4_mapped", None) or address
