"""The URLs to which Stripe may send a browser back: only those clearly below an allowed one (RFC 3986)."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_SESSION = "{CHECKOUT_SESSION_ID}"  # Stripe puts the session's ID here (docs.stripe.com/payments/checkout)
_UNKNOWN_YET = "%7BCHECKOUT_SESSION_ID%7D"  # replaces that ID; no allowed address contains it
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Browsers and servers disagree on these: encoded `.`, `/`, `\`, `%`, also overlong, and segments that begin with dots,
# such as `..;` (RFC 3986, section 5.2.4, and path parameters, section 3.3).
_MISREAD = re.compile(r"\\|%2[5ef]|%5c|%c[01]|/\.{1,2}([^a-z0-9_-]|$)", re.IGNORECASE)
_PORTS = {"https": 443, "http": 80}


def is_return_url(url: str) -> bool:
    """Say whether a URL can be allowed at all: https, or http on this machine, and without ambiguous parts."""
    parts = _split(url)
    return parts is not None and (parts.scheme == "https" or parts.hostname in _LOOPBACK)


def is_allowed(url: str, allowed: Iterable[str]) -> bool:
    """Say whether `url` is one of these addresses or below one; the caller may choose the query."""
    url = url.replace(_SESSION, _UNKNOWN_YET)
    parts = _split(url)
    if parts is None or not is_return_url(url):
        return False
    return any(_below(parts, urlsplit(address)) for address in allowed)


def _split(url: str) -> SplitResult | None:
    if not _VISIBLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    plain = "@" not in parts.netloc and not _MISREAD.search(parts.path) and not re.search(r"[\\<>^`{|}\"]", url)
    return parts if usable and plain else None


def _below(url: SplitResult, allowed: SplitResult) -> bool:
    same = _origin(url) == _origin(allowed)
    path = allowed.path.rstrip("/")
    return same and (url.path == path or url.path.startswith(f"{path}/") or (path == "" and url.path == ""))


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
