"""Values of cookies in a header. tests/integration/test_cookies.py compares them with Directus's own packages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.access.cookies import cookie_values


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], []),
        (["s=a"], ["a"]),
        (["x=1; s=a; y=2"], ["a"]),
        (["s=a;s=b"], ["a", "b"]),
        (["s=a", "s=b"], ["a", "b"]),
        (["s = a "], ["a"]),
        (["\ts\t=\ta"], ["a"]),
        (["s"], []),
        (["s; s=a"], ["a"]),
        (["s="], [""]),
        (["s=a=b"], ["a=b"]),
        (["S=a", "xs=a", "s2=a", "s[=a"], []),
        (["x=s=a", "x=1; ; =s"], []),
        (["\xa0s=a", "\x0bs=a"], []),
        (["s=\xa0a"], ["\xa0a"]),
    ],
)
def test_names(headers: list[str], found: list[str]) -> None:
    """Every value under the cookie's exact name is found in its order, and none under another name."""
    assert cookie_values(headers, "s") == found


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('"a"', "a"),
        ('""a""', '"a"'),
        ('"a', '"a'),
        ('a"', 'a"'),
        ('"', ""),
        ('""', ""),
        ("'a'", "'a'"),
        ('" a "', " a "),
    ],
)
def test_quotes(value: str, read: str) -> None:
    """One pair of quotes around the value is dropped."""
    assert cookie_values([f"s={value}"], "s") == [read]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("%61%2eb", "a.b"),
        ("a+b", "a+b"),
        ("%2561", "%61"),
        ("%22a%22", '"a"'),
        ("%3b%20", "; "),
        ("%C3%A9", "\xe9"),
        ("%zz%61", "%zz%61"),
        ("%61%", "%61%"),
        ("%61%4", "%61%4"),
        ("%61%C3", "%61%C3"),
        ("%61%ED%A0%80", "%61%ED%A0%80"),
        ("%61%C0%80", "%61%C0%80"),
    ],
)
def test_escapes(value: str, read: str) -> None:
    """Escapes are decoded as UTF-8; a value with one that cannot be decoded stays as it is."""
    assert cookie_values([f"s={value}"], "s") == [read]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('j:"a"', "a"),
        ('j: "a"', "a"),
        ("j%3A%22a%22", "a"),
        ('"j:%22a%22"', "a"),
        ('j:"\\u0061"', "a"),
        ('j:j:"a"', 'j:j:"a"'),
        ('J:"a"', 'J:"a"'),
        ("j:", "j:"),
        ("j:a", "j:a"),
        ("j:NaN", "j:NaN"),
        ('j:""', 'j:""'),
        ("j:null", "j:null"),
        ("j:false", "j:false"),
        ("j:0", "j:0"),
        ("j:-0.0", "j:-0.0"),
        ("j:true", None),
        ("j:1", None),
        ("j:1e999", None),
        ("j:" + "1" * 5000, None),
        ("j:{}", None),
        ("j:[]", None),
        ('j:["a"]', None),
        ('j:{"a":1}', None),
        ("j:" + "[" * 10_000 + "]" * 10_000, None),
    ],
    ids=lambda value: str(value)[:20].replace(
        "\\", "/"
    ),  # by a name with a backslash pytest does not find a test twice
)
def test_json(value: str, read: str | None) -> None:
    """A value that begins with `j:` is JSON: a text in it is the value, and anything else is no value to use."""
    assert cookie_values([f"s={value}"], "s") == [read]


@given(st.lists(st.text()))
def test_any_header_can_be_read(headers: list[str]) -> None:
    """Reading cookies never fails, for any header."""
    assert all(isinstance(value, str | None) for value in cookie_values(headers, "s"))
