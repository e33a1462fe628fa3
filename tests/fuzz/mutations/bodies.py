"""Changes of the body: JSON of other values and shapes, JSON that is none, and other encodings."""

import gzip
import json
from collections.abc import Callable
from random import Random

from tests.fuzz.drafts import Draft
from tests.fuzz.mutations.words import FORBIDDEN, IDS, TEXTS

_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, -(10**400), 2**63, 1e308, float("inf"), float("nan")),
    *([], {}, [[]], {"id": {}}, ["x"] * 30, {"a": {"b": {"c": 1}}}, [None], {"__proto__": {"admin": True}}),
    *("\ud800", "\udfff\ud800", *TEXTS, *IDS),
)
_WHOLE = (
    b"",
    b" ",
    b"null",
    b"[]",
    b'"x"',
    b"0",
    b"{",
    b"{}",
    b'{"email"}',
    b"{'email': 'a@b.co'}",
    b'{"email": "a@b.co",}',
    b'{"email": "a@b.co"} {}',
    b"\xef\xbb\xbf{}",
    b'{"email": "\xff\xfe@b.co"}',
    '{"email": "a@b.co"}'.encode("utf-16"),
    b'{"email": "a@b.co", "email": "c@d.co"}',
    b'{"name": "\\ud800"}',
    b'{"a": ' + b"[" * 30_000,
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a": 1' + b"0" * 20_000 + b"}",
    b'{"name": "' + b"x" * 70_000 + b'"}',
    b'{"email": NaN}',
    b'{"email": /* x */ "a@b.co"}',
    b"email=a@b.co&expand[]=x",
    b"--x\r\nContent-Disposition: form-data; name=email\r\n\r\na@b.co\r\n--x--\r\n",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    b"\x80\x04\x95.",
)


def change_a_value(draft: Draft, random: Random) -> None:
    _change(draft, lambda body: body.__setitem__(random.choice(list(body) or ["email"]), random.choice(_VALUES)))


def change_an_inner_value(draft: Draft, random: Random) -> None:
    """Change a value at any depth, or wrap it."""

    def change(body: dict[str, object]) -> None:
        place: object = body
        while isinstance(place, dict | list) and place:
            names = list(place) if isinstance(place, dict) else list(range(len(place)))
            name = random.choice(names)
            if not isinstance(place[name], dict | list) or random.random() < 0.3:
                place[name] = random.choice(_VALUES)
                return
            place = place[name]

    _change(draft, change)


def add_an_attribute(draft: Draft, random: Random) -> None:
    _change(draft, lambda body: body.__setitem__(random.choice(FORBIDDEN), random.choice(_VALUES)))


def drop_an_attribute(draft: Draft, random: Random) -> None:
    _change(draft, lambda body: body.pop(random.choice(list(body) or [""]), None))


def name_another_object_in_the_body(draft: Draft, random: Random) -> None:
    """Put another object of the same kind in place of one."""
    if draft.body is not None:
        old, new = random.choice((("_OWN", "_FOREIGN"), ("_GUEST", "_FOREIGN"), ("_WIDE", "_OWN"), ("cus_", "pi_")))
        draft.body = draft.body.replace(old.encode(), new.encode(), random.choice((1, 9)))


def repeat_an_attribute(draft: Draft, random: Random) -> None:
    """Give one name twice, with two values."""
    if draft.body is not None and draft.body.startswith(b"{"):
        name, value = random.choice(("customer", "email", "item", "id")), json.dumps(random.choice(IDS))
        draft.body = f'{{"{name}": {value}, '.encode() + draft.body[1:]


def send_another_body(draft: Draft, random: Random) -> None:
    draft.body = random.choice(_WHOLE)
    if random.random() < 0.8:
        draft.put("Content-Type", "application/json")


def cut_the_body(draft: Draft, random: Random) -> None:
    if draft.body:
        draft.body = draft.body[: random.randrange(len(draft.body))]


def compress_the_body(draft: Draft, random: Random) -> None:
    body = random.choice((draft.body or b"{}", b" " * 1_000_000))
    draft.body = gzip.compress(body, mtime=0) if random.random() < 0.7 else body
    draft.headers.append(
        ("Content-Encoding", random.choice(("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip")))
    )


def swell_the_body(draft: Draft, random: Random) -> None:
    draft.body = (draft.body or b"") + b" " * random.choice((60_000, 66_000, 1_100_000))


def _change(draft: Draft, change: Callable[[dict[str, object]], object]) -> None:
    """Change the body as a JSON object; one that is none becomes an empty one."""
    try:
        body = json.loads(draft.body or b"{}")
    except (ValueError, RecursionError):
        body = {}
    body = body if isinstance(body, dict) else {}
    change(body)
    draft.body = json.dumps(body).encode()


BODIES = (
    change_a_value,
    change_a_value,
    change_an_inner_value,
    change_an_inner_value,
    add_an_attribute,
    add_an_attribute,
    drop_an_attribute,
    name_another_object_in_the_body,
    name_another_object_in_the_body,
    repeat_an_attribute,
    send_another_body,
    send_another_body,
    cut_the_body,
    compress_the_body,
    swell_the_body,
)
