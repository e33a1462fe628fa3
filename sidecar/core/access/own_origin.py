"""Which pages are of this very site: those with its scheme, host and port (html.spec.whatwg.org, "same origin").

Another scheme is another site: whoever sits in a visitor's network writes the pages of http://shop.example, and none
of https://shop.example. TLS ends before this service, so only the proxy knows the scheme.
"""

from collections.abc import Collection, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from sidecar.core.access.allowed_origins import is_web_origin

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SECURE = frozenset({"https"})


def own_schemes(forwarded: Sequence[str], host: str) -> Collection[str]:
    """Give the schemes that a page of this site may have; `forwarded` are the values of X-Forwarded-Proto.

    Only `http`, said by every proxy, makes it http. Where nobody says it, a page by http is believed on this machine
    alone, since nobody is in between; several values that differ count as https.
    """
    said = {scheme.strip().lower() for value in forwarded for scheme in value.split(",")}
    if said == {"http"}:
        return said
    return _DEFAULT_PORTS.keys() if not said and _is_loopback(host) else _SECURE


def is_same_host(origin: str, host: str) -> bool:
    """Whether a page's host and port are those of `host`; a default port is that of the page's scheme."""
    page, here = _split(origin), _split(f"//{host}")
    if page is None or here is None or not is_web_origin(origin.lower()):
        return False
    default = _DEFAULT_PORTS[page.scheme]
    return _rootless(page) == _rootless(here) and (page.port or default) == (here.port or default)


def scheme_of(origin: str) -> str:
    return origin.partition(":")[0].lower()


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None where it or its port is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _rootless(parts: SplitResult) -> str | None:
    """Take off the dot for DNS's root, with which a name is the same host."""
    return None if parts.hostname is None else parts.hostname.removesuffix(".")


def _is_loopback(host: str) -> bool:
    here = _split(f"//{host}")
    name = None if here is None else _rootless(here)
    if name is None:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
