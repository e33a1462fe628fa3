"""Changes of headers: credentials in odd places and forms, what proxies and browsers send, what breaks parsers."""

import base64
from random import Random
from urllib.parse import quote

from tests.fuzz.drafts import Draft
from tests.fuzz.mutations.words import TEXTS
from tests.fuzz.people import PEOPLE

_SPOOFED = (
    ("X-Forwarded-For", "10.0.0.1"),
    ("X-Forwarded-For", "127.0.0.1, unknown, ::1"),
    ("X_Forwarded_For", "10.0.0.1"),
    ("X-Real-IP", "10.0.0.1"),
    ("Forwarded", "for=10.0.0.1;host=evil.example;proto=https"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Prefix", "/admin"),
    ("X-Original-URL", "/stripe/customers"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Stripe-Account", "acct_1"),
    ("Stripe-Version", "2010-01-01"),
    ("Stripe-Signature", "t=1,v1=00"),
    ("X-Directus-User", "user-admin"),
    ("Cache-Control", "only-if-cached"),
    ("If-None-Match", "*"),
    ("Range", "bytes=0-0"),
    ("Connection", "Authorization"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Expect", "100-continue"),
    ("Expect", "200-ok"),
    ("Accept", "application/x-ndjson"),
    ("Accept", "*/*;q=0, text/html"),
    ("Accept-Encoding", "gzip, br, zstd"),
    ("TE", "trailers"),
    ("Trailer", "Authorization"),
    ("Host", "evil.example"),
    ("Host", ""),
    ("Host", "sidecar.test:0x50"),
    ("Origin", "https://evil.example"),
    ("Origin", "null"),
    ("Origin", "https://app.example.com.evil.example"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Idempotency-Key", "k" * 300),
    ("Idempotency-Key", "é"),
    ("Idempotency-Key", "fuzz-key"),
)
_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json, text/plain",
    "APPLICATION/JSON",
    "application/vnd.api+json",
    "",
    "é",
    ";",
)


def add_a_known_header(draft: Draft, random: Random) -> None:
    draft.headers.append(random.choice(_SPOOFED))


def replace_a_known_header(draft: Draft, random: Random) -> None:
    draft.put(*random.choice(_SPOOFED))


def say_another_content_type(draft: Draft, random: Random) -> None:
    draft.put("Content-Type", random.choice(_TYPES))


def carry_a_second_credential(draft: Draft, random: Random) -> None:
    """Add another token, of anybody, in any place."""
    person = random.choice(PEOPLE)
    token = person.token(f"second-{draft.identity}")
    draft.holders.append((person, token))
    place = random.choice(("Authorization", "Cookie", "query"))
    if place == "query":
        draft.target += ("&" if "?" in draft.target else "?") + f"access_token={quote(token, safe='')}"
    else:
        value = f"Bearer {token}" if place == "Authorization" else f"directus_session_token={token}"
        draft.headers.append((place, value))


def write_the_token_differently(draft: Draft, random: Random) -> None:
    """Use another scheme, other spaces, or another form of the same token."""
    values = draft.values("Authorization")
    if not values:
        return
    token = values[0].removeprefix("Bearer ")
    encoded = base64.b64encode(token.encode()).decode()
    forms = (
        f"bearer {token}",
        f"BEARER {token}",
        f"Bearer  {token}",
        f"Bearer {token} x",
        f"Bearer {token},Bearer {token}",
        f"Bearer\t{token}",
        f"Basic {encoded}",
        f"Token {token}",
        token,
        f"Bearer {token}\x00",
        f"Bearer {token}é",
        f'Bearer "{token}"',
        f"Bearer {quote(token, safe='')}",
        f"Bearer {token}" + "x" * random.choice((100, 15_900, 17_000)),
        "Bearer",
        "Bearer ",
        f"Bearer {token[:-3]}",
    )
    draft.put("Authorization", random.choice(forms))


def quote_the_cookie_oddly(draft: Draft, random: Random) -> None:
    """Write the session cookie as cookie parsers disagree about it."""
    person = random.choice([person for person in PEOPLE if person.session])
    token = person.token(f"odd-{draft.identity}")
    draft.holders.append((person, token))
    name = "directus_session_token"
    forms = (
        f'{name}="{token}"',
        f'{name}="{token}',
        f"{name}={quote(token, safe='')}",
        f'{name}=j:"{token}"',
        f"{name}=j:{{}}",
        f"{name}=j:" + "[" * 3000,
        f"{name}={token}; {name}={token}x",
        f"{name}=; {name}={token}",
        f"{name} = {token}",
        f"{name.upper()}={token}",
        f" ;;; {name}={token};;",
        f'x="; {name}={token}; y="',
        f"$Version=1; {name}={token}",
        f"{name}={token}, {name}=b",
        f"{name}=%zz{token}",
        f"a={'b' * 9000}; {name}={token}",
    )
    draft.headers.append(("Cookie", random.choice(forms)))


def repeat_a_header(draft: Draft, random: Random) -> None:
    draft.headers.append(random.choice(draft.headers))


def drop_a_header(draft: Draft, random: Random) -> None:
    """Leave out any header but Connection, without which an answer takes a moment longer to be whole."""
    names = [name for name, _ in draft.headers if name != "Connection"]
    if names:
        draft.drop(random.choice(names))


def write_an_odd_header(draft: Draft, random: Random) -> None:
    """Add a header whose name or value is against the grammar (RFC 9110, "Fields")."""
    text = random.choice(TEXTS)
    odd = (
        ("X-Odd", text),
        ("X Odd", "1"),
        ("X-Odd ", "1"),
        ("", "1"),
        (":path", "/"),
        ("X-É", "1"),
        ("X-Odd", "a\r\n folded"),
        ("X-Odd", "a\nX-Injected: 1"),
        ("X-Odd\x00", "1"),
        ("X-Odd", "\x01\x7f"),
        ("X-Odd", "\udcff\udcfe"),
        ("(comment)", "1"),
        ("X-Odd" * 4000, "1"),
        ("X-Odd", "v" * random.choice((8000, 16_500, 70_000))),
    )
    draft.headers.insert(random.randrange(len(draft.headers) + 1), random.choice(odd))


def flood_with_headers(draft: Draft, random: Random) -> None:
    draft.headers += [(f"X-Flood-{number}", "f" * 20) for number in range(random.choice((50, 400, 1100)))]


def name_the_request(draft: Draft, random: Random) -> None:
    """Send another X-Request-Id, valid or not; no two requests have a valid one in common."""
    values = (*(f"{text} {draft.identity}" for text in TEXTS), "short", f"{draft.identity}:other", "x" * 65)
    draft.put("X-Request-Id", random.choice(values))
    draft.identity = None


HEADERS = (
    add_a_known_header,
    add_a_known_header,
    add_a_known_header,
    replace_a_known_header,
    say_another_content_type,
    carry_a_second_credential,
    write_the_token_differently,
    quote_the_cookie_oddly,
    repeat_a_header,
    drop_a_header,
    write_an_odd_header,
    write_an_odd_header,
    flood_with_headers,
    name_the_request,
)
