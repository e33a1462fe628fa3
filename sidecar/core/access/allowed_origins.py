"""Origins of other sites' pages that may use a visitor's session, as the settings list them and as browsers send them.

A browser sends scheme, host and port in lower case, and no default port (html.spec.whatwg.org, "ASCII serialization of
an origin"). Webviews of apps have schemes of their own, such as capacitor://localhost.
"""

import re
from collections.abc import Collection
from typing import Final

_LABEL = r"[a-z0-9-]+"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_WEB = re.compile(rf"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]){_PORT}")
_APP = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://[a-z0-9._-]+{_PORT}")
# Pages of these schemes have no origin of their own, or anybody's file has the same one.
_OPAQUE = frozenset({"about", "blob", "data", "file", "filesystem", "ftp", "http", "https", "javascript", "ws", "wss"})
_WILDCARD = re.compile(rf"https?://\*(?P<rest>(?:\.{_LABEL}){{2,}}){_PORT}")
_NEVER_SENT = re.compile(
    r"^http://.*:80$|^https://.*:443$|:(?:6553[6-9]|655[4-9]\d|65[6-9]\d\d|6[6-9]\d{3}|[7-9]\d{4})$"
)
_SUBDOMAIN = re.compile(rf"(https?://){_LABEL}((?:\.{_LABEL}){{2,}}{_PORT})")
# Everybody can get a name directly below these (publicsuffix.org); this is a part of that list.
_PUBLIC_SUFFIXES: Final = frozenset(
    {
        *("amplifyapp.com", "azurestaticapps.net", "azurewebsites.net", "cloudfront.net", "deno.dev", "fly.dev"),
        *("firebaseapp.com", "github.io", "gitlab.io", "herokuapp.com", "netlify.app", "ngrok-free.app", "ngrok.io"),
        *("onrender.com", "pages.dev", "run.app", "surge.sh", "up.railway.app", "vercel.app", "web.app", "workers.dev"),
    }
)
_REGISTRY = re.compile(r"(?:ac|co|com|edu|gov|net|or|org)\.[a-z]{2}")  # such as co.uk


def is_web_origin(text: str) -> bool:
    """Whether a browser may send this as the `Origin` of a page at http:// or https://."""
    return _WEB.fullmatch(text) is not None


def is_origin(text: str) -> bool:
    """Whether a browser or webview may send this as `Origin`; neither `*` nor `null` is one."""
    if _NEVER_SENT.search(text):
        return False
    if is_web_origin(text):
        return True
    app = _APP.fullmatch(text)
    return app is not None and app["scheme"] not in _OPAQUE


def is_wildcard(text: str) -> bool:
    """Whether this is an http(s) origin with `*` as its first label and at least two more labels."""
    found = _WILDCARD.fullmatch(text)
    if found is None or _NEVER_SENT.search(text):
        return False
    return re.search(r"[a-z]", found["rest"].rpartition(".")[2]) is not None  # no part of an IP address


def is_below_public_suffix(text: str) -> bool:
    """Whether a wildcard is known to cover names that belong to different people, such as https://*.github.io."""
    found = _WILDCARD.fullmatch(text)
    if found is None:
        return False
    domain = found["rest"].removeprefix(".")
    return domain in _PUBLIC_SUFFIXES or _REGISTRY.fullmatch(domain) is not None


def covers(allowed: Collection[str], origin: str) -> bool:
    """Whether `origin` is listed, or is one label in the place of a listed `*`."""
    if "*" in origin:
        return False
    below = _SUBDOMAIN.fullmatch(origin)
    return origin in allowed or (below is not None and f"{below[1]}*{below[2]}" in allowed)
