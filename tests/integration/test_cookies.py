"""Cookies as the sidecar reads them, compared with the packages that Directus reads them with."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploy.demo.admin import SESSION_COOKIE as NAME
from deploy.demo.admin import login, logout
from deploy.demo.stack import Stack
from sidecar.core.access.cookies import cookie_values
from sidecar.core.access.credentials import find_credential
from sidecar.errors import InvalidPayload
from tests.integration.asking import ask
from tests.integration.packages import Packages, packages


@pytest.fixture(scope="module")
def cookie_parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packages]:
    with packages(Path(__file__).with_name("cookies.mjs"), tmp_path_factory.mktemp("cookies")) as opened:
        yield opened


def token_of(cookie_parser: Packages, headers: list[str]) -> str | None:
    """Give the token that Directus finds. Raises LookupError where it is no text."""
    found = cookie_parser.ask(headers)
    if "other" in found:
        raise LookupError(found["other"])
    token: str | None = found["token"]
    return token or None


PIECES = [
    *("x", "y", "a.b", '"', "'", "=", " ", "\t", ",", "\\", "+", "s:", '"x"', '""', "\\u0041", "\\ud800"),
    *("j:", "j%3A", "{}", "[1]", "0", "-0", "true", "null", "1e999", "NaN"),
    *("%", "%2", "%zz", "%00", "%0d%0a", "%22", "%25", "%41", "%C3", "%C3%A9", "%ED%A0%80", "%F0%9F%92%A9"),
    *("\xa0", "\xc2\xa0", "\xe9", "\xc3\xa9"),
]
values = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
names = st.sampled_from(
    [NAME, NAME, NAME, f" {NAME}\t", NAME.upper(), f"\xa0{NAME}", f"\xc2\xa0{NAME}", "__proto__", "constructor", ""]
)
pairs = st.builds("{}{}{}".format, names, st.sampled_from(["=", "=", "=", " = ", "==", ""]), values)
headers = st.lists(st.lists(pairs, max_size=4).flatmap(
    lambda some: st.sampled_from(["; ", ";", " ;\t", ";;"]).map(lambda between: between.join(some))
), max_size=2)  # fmt: skip


def as_received(header: str) -> str:
    """aiohttp reads a header's bytes as UTF-8, Node as Latin-1."""
    return header.encode("latin-1").decode("utf-8", "surrogateescape")


@settings(derandomize=True, max_examples=1500)
@given(headers)
@example([f"{NAME}=; {NAME}=x"])
@example([f"{NAME}=x; {NAME}="])
@example([f"{NAME}", f"{NAME}=x"])
@example([f'{NAME}=j:"x"'])
@example([f'{NAME}=j:""'])
@example([f"{NAME}=j:{'1' * 5000}"])
@example([f"{NAME}=j:0"])
@example([f"{NAME}=j:-0.0"])
@example([f"{NAME}=j:false"])
@example([f"{NAME}=j:NaN"])
@example([f"{NAME}=\xc2\xa0x"])
@example([f'{NAME}="'])
def test_first_value(cookie_parser: Packages, headers: list[str]) -> None:
    """The first value under the name is the text that Directus takes, empty or absent where it takes none."""
    found = cookie_values(map(as_received, headers), NAME)
    try:
        expected = token_of(cookie_parser, headers)
    except LookupError:
        assert found[0] is None
        return

    first = found[0] if found else ""
    assert first is not None
    if first.isascii():
        assert (first or None) == expected
    else:
        assert expected is not None
        assert not expected.isascii()


@settings(derandomize=True, max_examples=500)
@given(headers)
def test_credential(cookie_parser: Packages, headers: list[str]) -> None:
    """A1, A2: The session is the one that Directus reads; what is refused is ambiguous or no text for a header."""
    values = cookie_values(map(as_received, headers), NAME)
    expected: str | None = None
    with suppress(LookupError):
        expected = token_of(cookie_parser, headers)
    try:
        found = find_credential(authorization=[], access_token=[], cookies=values, address="192.0.2.7")
    except InvalidPayload:
        several = len({value for value in values if value != ""}) > 1
        assert several or expected is None or not re.fullmatch(r"[\x21-\x7e]+", expected)
        return

    assert (found.token if found else None) == expected


CLERK = {
    "plain": "{name}={token}",
    "empty first": "{name}=; {name}={token}",
    "empty last": "{name}={token}; {name}=",
    "twice": "{name}={token}; {name}={token}",
    "no value": "{name}; {name}={token}",
    "escaped": "{name}={escaped}",
    "broken escape": "{name}={token}%zz",
    "json": '{name}=j:"{token}"',
    "json, escaped": "{name}=j%3A%22{token}%22",
    "json list": '{name}=j:["{token}"]',
    "json number": "{name}=j:5",
    "json null": "{name}=j:null",
    "quotes": '{name}="{token}"',
    "two pairs of quotes": '{name}=""{token}""',
    "one quote": '{name}="{token}',
    "blanks": " {name} \t= {token} \t; a",
    "another blank": "\xa0{name}={token}",
    "name in another case": "{upper}={token}",
    "beside a long one": "z={long}; {name}={token}",
}


@pytest.mark.parametrize("cookie", CLERK.values(), ids=CLERK)
async def test_with_directus(stack: Stack, cookie: str) -> None:
    """A1: The sidecar lets a session in exactly where Directus does, through nginx too."""
    token = stack.people["clerk"].token
    escaped = f"%{ord(token[0]):02X}{token[1:]}"
    header = cookie.format(name=NAME, upper=NAME.upper(), token=token, escaped=escaped, long="z" * 15_000)

    directus, sidecar, proxied = [
        (await ask(url, target, headers=[("Cookie", header)])).status == 200
        for url, target in (
            (stack.directus.url, "/users/me"),
            (stack.main_sidecar.url, "/stripe/customers?limit=1"),
            (stack.proxy.url, "/stripe/customers?limit=1"),
        )
    ]

    assert (sidecar, proxied) == (directus, directus)


async def test_two_sessions_of_one_person(stack: Stack) -> None:
    """A2: Of an old and a new session of one person the first counts, as in Directus; beside another's, neither."""
    clerk, reader = (stack.people[name] for name in ("clerk", "reader"))
    old, new, other = [await login(stack.directus.url, person) for person in (clerk, clerk, reader)]
    await logout(stack.directus.url, old)

    async def verdict(url: str, target: str, *sessions: str) -> tuple[int, str | None]:
        answer = await ask(url, target, headers=[("Cookie", "; ".join(f"{NAME}={session}" for session in sessions))])
        return answer.status, answer.code

    for sessions in ((new, old), (old, new)):
        directus = await verdict(stack.directus.url, "/users/me", *sessions)
        assert await verdict(stack.main_sidecar.url, "/stripe/customers?limit=1", *sessions) == directus
    refused = await verdict(stack.main_sidecar.url, "/stripe/customers?limit=1", new, other)
    assert refused == (400, "INVALID_PAYLOAD")


@pytest.mark.parametrize("size", [9_000, 16_000])
async def test_long_tokens(stack: Stack, size: int) -> None:
    """A6: Directus itself is asked about a token of any length that it takes."""
    token = "t" * size

    for url, target in ((stack.directus.url, "/users/me"), (stack.main_sidecar.url, "/stripe/customers?limit=1")):
        answer = await ask(url, target, token)
        assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")
