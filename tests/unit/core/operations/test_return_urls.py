"""Where Stripe may send a browser back to: only below the allowed addresses, in any spelling."""

import re
from itertools import product
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.operations.return_urls import is_allowed, is_return_url

HOME = "https://app.example.com/account"
SESSION = "{CHECKOUT_SESSION_ID}"

INSIDE = [
    HOME,
    f"{HOME}/",
    f"{HOME}/orders/7",
    f"{HOME}/orders/7?paid=1&session={SESSION}#top",
    f"{HOME}?next=https://elsewhere.example",
    f"{HOME}/{SESSION}",
    f"{HOME}/r%C3%A9sum%C3%A9/a.b/.well-known/x..",
    "HTTPS://APP.EXAMPLE.COM/account",
    "https://app.example.com:443/account",
]
OUTSIDE = {
    "above": "https://app.example.com/",
    "beside": "https://app.example.com/admin",
    "longer-name": f"{HOME}ant",
    "other-case": "https://app.example.com/Account",
    "http": "http://app.example.com/account",
    "other-scheme": "ftp://app.example.com/account",
    "javascript": "javascript:alert(1)//https://app.example.com/account",
    "javascript-host": "javascript://app.example.com/account%0aalert(1)",
    "data": "data:text/html,<script>",
    "no-scheme": "//app.example.com/account",
    "no-slashes": "https:app.example.com/account",
    "three-slashes": "https:///app.example.com/account",
    "one-slash": "https:/app.example.com/account",
    "backslashes": "https:\\\\app.example.com\\account",
    "backslash-before-host": "https://evil.example\\@app.example.com/account",
    "backslash-in-query": f"{HOME}?a\\b",
    "login": "https://app.example.com@evil.example/account",
    "login-of-ours": "https://me:pass@app.example.com/account",
    "empty-login": "https://@app.example.com/account",
    "sub-domain": "https://app.example.com.evil.example/account",
    "other-domain": "https://notapp.example.com/account",
    "trailing-dot": "https://app.example.com./account",
    "encoded-host": "https://app%2eexample.com/account",
    "slash-in-host": "https://evil.example%2f.app.example.com/account",
    "unicode-dot": "https://app\u3002example\u3002com/account",
    "unicode-letter": "https://\u0430pp.example.com/account",
    "wide-letters": "https://\uff41pp.example.com/account",
    "other-port": "https://app.example.com:8443/account",
    "port-zero": "https://app.example.com:0/account",
    "port-of-words": "https://app.example.com:443x/account",
    "port-too-high": "https://app.example.com:65979/account",
    "dots": f"{HOME}/../admin",
    "dots-at-end": f"{HOME}/..",
    "one-dot": f"{HOME}/./x",
    "encoded-dots": f"{HOME}/%2e%2E/admin",
    "half-encoded-dots": f"{HOME}/.%2e/admin",
    "encoded-slash": f"{HOME}/..%2fadmin",
    "encoded-backslash": f"{HOME}/..%5cadmin",
    "twice-encoded": f"{HOME}/%252e%252e/admin",
    "overlong": f"{HOME}/%c0%ae%c0%ae/admin",
    "dots-with-parameter": f"{HOME}/..;/admin",
    "dots-with-encoded-parameter": f"{HOME}/..%3b/admin",
    "dots-with-null": f"{HOME}/..%00/admin",
    "parameter": f"{HOME};x/y",
    "tab": f"{HOME}/.\t./admin",
    "line-feed": f"{HOME}\n/x",
    "header": f"{HOME}%0d%0a".replace("%0d%0a", "\r\nSet-Cookie: a=b"),
    "null": f"{HOME}/\x00",
    "space-before": f" {HOME}",
    "space-after": f"{HOME} ",
    "delete": f"{HOME}/\x7f",
    "markup": f"{HOME}?<script>",
    "quote": f'{HOME}?"x',
    "template": f"{HOME}/{{x}}",
    "template-in-other-case": f"{HOME}/{SESSION.lower()}",
    "not-ascii": f"{HOME}/é",
    "bracket": "https://[app.example.com/account",
    "empty": "",
    "word": "account",
}


@pytest.mark.parametrize("url", INSIDE)
def test_at_or_below_an_allowed_address(url: str) -> None:
    """The address itself and addresses below it pass, with any query and fragment."""
    assert is_allowed(url, ["https://other.example", HOME])
    assert is_allowed(url, [f"{HOME}/"])


@pytest.mark.parametrize("url", OUTSIDE.values(), ids=OUTSIDE)
def test_anywhere_else(url: str) -> None:
    """No other scheme, host, port or path passes, and no spelling that browsers and servers read differently."""
    assert not is_allowed(url, [HOME])


@pytest.mark.parametrize("url", INSIDE)
def test_nothing_passes_where_nothing_is_allowed(url: str) -> None:
    """Without allowed addresses none passes."""
    assert not is_allowed(url, [])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (f"https://{SESSION}.example.com/", "https://session.example.com/"),
        (f"https://app.example.com/{SESSION}/x", "https://app.example.com/session"),
        (f"https://app.example.com:{SESSION}/", "https://app.example.com"),
    ],
)
def test_a_placeholder_makes_no_address_allowed(url: str, allowed: str) -> None:
    """Stripe fills in the session's ID later, so the ID cannot be the reason why an address is allowed."""
    assert not is_allowed(url, [allowed])


def test_a_whole_origin() -> None:
    """An address without a path allows its whole origin, and no other."""
    for allowed in ("https://app.example.com", "https://app.example.com/"):
        assert is_allowed("https://app.example.com", [allowed])
        assert is_allowed("https://app.example.com/any/where", [allowed])
        assert not is_allowed("https://app.example.com:444", [allowed])


def test_http_only_on_this_machine() -> None:
    """Without TLS only a loopback address is valid, and an address that merely looks like one is not."""
    assert all(map(is_return_url, ["http://localhost:3000/x", "http://127.0.0.1/", "http://[::1]:8080"]))
    assert not any(
        map(is_return_url, ["http://example.com", "http://localhost.example.com", "http://127.0.0.1.nip.io"])
    )
    assert is_allowed("http://localhost:3000/x", ["http://localhost:3000"])
    assert not is_allowed("http://localhost:3001/x", ["http://localhost:3000"])
    assert not is_allowed("https://localhost:3000/x", ["http://localhost:3000"])


SCHEMES = ["https://", "HTTPS://", "http://", "https:", "https:///", "https:\\\\", "//", "javascript://", " https://"]
HOSTS = ["app.example.com", "APP.example.com", "evil.example", "app.example.com.", "app.example.com@evil.example"]
HOSTS += ["evil.example\\app.example.com", "me@app.example.com", "app.example.com:443", "app.example.com:44", SESSION]
PIECES = ["/", "//", "account", "Account", "..", ".", ";", "x", "%2e", "%2F", "%5c", "%25", "2e", "%3b", "%00", "%3F"]
PIECES += ["\\", "\t", "\n", "@", "?", "#", SESSION, "é", "%c0%ae", "&", ":", "{", "~"]
urls = st.tuples(st.sampled_from(SCHEMES), st.sampled_from(HOSTS), st.lists(st.sampled_from(PIECES), max_size=8)).map(
    lambda parts: parts[0] + parts[1] + "".join(parts[2])
)
below = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda parts: f"{HOME}/" + "".join(parts))


def readings(url: str) -> set[str]:
    """Give the addresses, without query and fragment, that some browser or server might read from this one."""
    found = set()
    for times, parameters, doubled in product(range(3), (False, True), (False, True)):
        read = re.sub(r"[\t\r\n]", "", url.strip()).replace("\\", "/")
        scheme, _, rest = read.partition(":")
        host, path = re.fullmatch(r"/*([^/?#]*)([^?#]*).*", rest, re.DOTALL).groups()  # type: ignore[union-attr]  # any text fits
        for _ in range(times):
            path = re.split(r"[?#]", unquote(path.replace("%c0%ae", ".")).replace("\\", "/").split("\0")[0])[0]
        path = re.sub(r";[^/]*", "", path) if parameters else path
        path = re.sub("//+", "/", path) if doubled else path
        kept: list[str] = []
        for segment in path.split("/"):
            kept = kept[:-1] if segment == ".." else kept if segment == "." else [*kept, segment]
        found.add(f"{scheme.lower()}://{host.rpartition('@')[2].lower().removesuffix(':443')}{'/'.join(kept)}")
    return found


@settings(max_examples=500)
@given(urls | below)
def test_an_accepted_address_is_inside_in_every_reading(url: str) -> None:
    """No accepted spelling leads anywhere else, read as any browser or server might: decoded, collapsed, cut."""
    if is_allowed(url, [HOME]):
        assert {True} == {read == HOME or read.startswith(f"{HOME}/") for read in readings(url)}


@given(st.text(max_size=40) | urls)
def test_any_text_is_judged(url: str) -> None:
    """Any text gives an answer and never an error, and every allowed text is a plain address with a host."""
    if is_allowed(url, [HOME, url]):
        assert urlsplit(url).hostname
        assert url.isascii()
