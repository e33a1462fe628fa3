"""Which texts are origins, and which origins a list covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.allowed_origins import covers, is_below_public_suffix, is_origin, is_wildcard

PREVIEWS = "https://*.preview.example.com"
LISTED = frozenset({PREVIEWS, "https://app.example.com", "http://*.preview.localhost:3000", "capacitor://localhost"})


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://localhost:3000",
        "http://my_host",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://-",
        "app://obsidian.md",
        "vscode-webview://0ab1",
        "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
        "moz-extension://53bacc4b-0000-4000-8000-000000000000",
        "com.example.app://localhost",
    ],
)
def test_origins(origin: str) -> None:
    """X3: What browsers and webviews send is an origin."""
    assert is_origin(origin)
    assert not is_wildcard(origin)


@pytest.mark.parametrize(
    "text",
    [
        *("*", "null", "", "https://", "https://*", "*://app.example.com", "app://*", "capacitor://*.example.com"),
        *(
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:65536",
            "http://[::1]:80",
        ),
        *("https://app.example.com/", "https://app.example.com/x", "https://app.example.com?", "https://a@b.example"),
        *(
            "https://APP.example.com",
            "HTTPS://app.example.com",
            "https://app.example.com:",
            "https://app.example.com:0",
        ),
        *("file://", "file://localhost", "data://x", "blob://x", "about://blank", "javascript://x", "ws://localhost"),
        *(
            "app.example.com",
            "//app.example.com",
            "https:app.example.com",
            "localhost",
            "capacitor://",
            "app:localhost",
        ),
        *("https://a b.example", "https://\u0131.example", "https://app.example.com\n", "https://[::1", "https://::1"),
    ],
)
def test_no_origins(text: str) -> None:
    """X3: Nothing else is an origin, above all neither `*`, `null` nor anybody's file."""
    assert not is_origin(text)
    assert not is_wildcard(text)


@pytest.mark.parametrize("text", [PREVIEWS, "http://*.preview.localhost:3000", "https://*.a.b.example.com:8443"])
def test_wildcards(text: str) -> None:
    """X3: `*` may be the first label before two or more."""
    assert is_wildcard(text)
    assert not is_below_public_suffix(text)


@pytest.mark.parametrize(
    "text",
    [
        *("https://*", "https://*.com", "https://*.localhost", "https://*com", "https://*.", "https://*.example.com."),
        *("https://*.*.example.com", "https://a.*.example.com", "https://a*.example.com", "https://*a.example.com"),
        *("https://**.example.com", "https://*.example.com/", "https://*..com", "https://*.example..com"),
        *("*.preview.example.com", "*://*.example.com", "app://*.example.com", "https://*.Example.com"),
        *(
            "https://*.example.com:*",
            "https://u@*.example.com",
            "https://*.0.0.1",
            "https://*.example.0",
            "https://*:443",
            "https://*.a_b.com",
        ),
    ],
)
def test_no_wildcards(text: str) -> None:
    """X3: No other place or breadth is one."""
    assert not is_wildcard(text)
    assert not is_origin(text)


@pytest.mark.parametrize("domain", ["vercel.app", "pages.dev", "github.io", "co.uk", "com.au", "org.nz"])
def test_wildcards_for_everybody(domain: str) -> None:
    """X3: Directly below a registry's or large host's domain everybody can get a name; one deeper is an own one."""
    assert is_below_public_suffix(f"https://*.{domain}")
    assert is_below_public_suffix(f"https://*.{domain}:8443")
    assert not is_below_public_suffix(f"https://*.shop.{domain}")
    assert not is_below_public_suffix(f"https://shop.{domain}")


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.preview.example.com",
        "https://shop-git-main-7.preview.example.com",
        "https://7.preview.example.com",
        "http://a.preview.localhost:3000",
        "https://app.example.com",
        "capacitor://localhost",
    ],
)
def test_covered(origin: str) -> None:
    """X1, X3: A listed origin counts, and one label in the place of the `*`."""
    assert covers(LISTED, origin)


@pytest.mark.parametrize(
    "origin",
    [
        *("https://preview.example.com", "https://.preview.example.com", "https://a.b.preview.example.com"),
        *("https://a.preview.example.com.evil.com", "https://evil.com/.preview.example.com"),
        *("https://evil.com?.preview.example.com", "https://evil.com#.preview.example.com"),
        *("https://evil.com\\.preview.example.com", "https://evil.com%2f.preview.example.com"),
        *("https://a@evil.com:443.preview.example.com", "https://evil@a.preview.example.com", "https://a:b@a.preview"),
        *("https://a_b.preview.example.com", "https://A.preview.example.com", "https://a.Preview.example.com"),
        *("https://a.preview.example.com:443", "https://a.preview.example.com:8443", "https://a.preview.example.com:"),
        *("http://a.preview.example.com", "ftp://a.preview.example.com", "app://a.preview.example.com"),
        *("https://a.preview.example.com.", "https://a.preview.example.com/", "https://a.previewXexample.com"),
        *("https://apreview.example.com", "https://a-preview.example.com", "https://a.preview.example.co"),
        *("https://*.preview.example.com", "https://\u00e4.preview.example.com", "https://a.preview.example.com\n"),
        *(" https://a.preview.example.com", "https://a.preview.example.com https://b.preview.example.com"),
        *("http://a.preview.localhost", "http://a.preview.localhost:3001", "https://b.app.example.com"),
        *("capacitor://a.localhost", "capacitor://localhost:1", "ionic://localhost", "null", "*", ""),
    ],
)
def test_not_covered(origin: str) -> None:
    """X1, X3: Nothing deeper, nothing else and no other spelling counts."""
    assert not covers(LISTED, origin)


@given(st.text(st.sampled_from("ab.-_:/@*?#%2E\\A \n"), max_size=12))
def test_one_label_at_most(label: str) -> None:
    """X1, X3: Whatever stands in the place of the `*`, it counts only if it is one label."""
    single = label != "" and set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    assert covers({PREVIEWS}, f"https://{label}.preview.example.com") == single
