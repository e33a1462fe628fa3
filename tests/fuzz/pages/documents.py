"""Lists as Stripe could write them, and as nobody should: a valid one, changed in a few places at random."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from tests.benchmarks.upstream import Objects
from tests.doubles.secret_spellings import CLIENT_SECRETS, CODE, KEYS, PUBLIC
from tests.fuzz.pages import pool

_FIXTURES = Path(__file__).parents[3] / "deploy" / "stripe_stand_in" / "fixtures.json"
_KINDS = (
    *("customer", "payment_intent", "setup_intent", "invoice", "ephemeral_key", "subscription", "charge"),
    *("checkout.session", "payment_method", "product", "billing.meter_event"),
)
Object = dict[str, object]
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[ \t\n\r]+|[{}\[\]:,]|[^ \t\n\r{}\[\]:,"]+')
_SMALL: tuple[Object, ...] = (
    {
        "id": "pi_1",
        "object": "payment_intent",
        "created": 9,
        "customer": "cus_1",
        "client_secret": "pi_1_secret_x",
        "a": 1,
    },
    {"id": "cus_1", "object": "customer", "created": 8, "email": "a@example.com", "metadata": {"a": "b"}},
    {"id": "in_1", "object": "invoice", "created": 7, "customer": {"id": "cus_2", "deleted": True}},
    {"id": "x_1", "created": 6, "list": {"object": "list", "data": [{"id": "y"}], "has_more": False, "url": "/v1/y"}},
    {"id": "seti_1", "object": "setup_intent", "next_action": {"use_stripe_sdk": {"a": "seti_1_secret_x"}}, "b": []},
)
Tokens = list[bytes]
T = TypeVar("T")
_QUOTE = ord('"')


@dataclass(frozen=True, slots=True)
class Documents:
    """The document of a number; the same one for the same seed."""

    seed: int
    bases: tuple[Tokens, ...] = field(default_factory=lambda: tuple(map(_tokens, _bases())))

    def document(self, number: int) -> bytes:
        random = Random(self.seed << 48 | number)  # noqa: S311 - reproducible, not secret
        tokens = one_of(random, self.bases).copy()
        for _ in range(one_of(random, (0, 1, 1, 1, 2, 2, 3, 4, 6))):
            one_of(random, _ON_TOKENS)(random, tokens)
        content = b"".join(tokens)
        for _ in range(one_of(random, (0, 0, 0, 0, 0, 0, 0, 0, 1, 2))):
            content = one_of(random, _ON_BYTES)(random, content)
        return content


def one_of(random: Random, choices: Sequence[T]) -> T:
    """Do what `random.choice` does, in a third of the time."""
    return choices[int(random.random() * len(choices))]


def _bases() -> list[bytes]:
    found = []
    fixtures = json.loads(_FIXTURES.read_text(encoding="utf-8"))
    for data in ((), _SMALL[:1], _SMALL[1:3], _SMALL[3:], _SMALL[:3], _SMALL):
        found += [(_written(data, indent), 8) for indent in (2, None)]
    for kind in _KINDS:
        found += [(_written((fixtures[kind],), indent), 1) for indent in (2, None)]
    stand_in = json.dumps({"data": _SMALL, "has_more": True, "object": "list"}).encode()
    upstreams = [
        Objects("customer", "cus", 3, 0).page("/v1/customers", {"limit": "2"}),
        Objects("payment_intent", "pi", 3, 1).page("/v1/payment_intents", {"limit": "1"}),
    ]
    found += [(stand_in, 8), *((page, 2) for page in upstreams)]
    return [content for content, times in found for _ in range(times)]


def _written(data: Sequence[Object], indent: int | None) -> bytes:
    page = {"object": "list", "data": data, "has_more": True, "url": "/v1/customers"}
    return json.dumps(page, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":")).encode()


def _tokens(content: bytes) -> Tokens:
    return _TOKEN.findall(content)


def _place(random: Random, tokens: Tokens, wanted: Callable[[bytes], bool]) -> int | None:
    """Give the place of some token that is wanted and has others around it; None where none was met."""
    for _ in range(60):
        place = int(random.random() * len(tokens))
        if 0 < place < len(tokens) - 3 and wanted(tokens[place]):
            return place
    return None


def _text_of(random: Random) -> bytes:
    return json.dumps(one_of(random, _TEXTS), ensure_ascii=random.random() < 0.1).encode()


def _value(random: Random) -> bytes:
    return one_of(random, pool.VALUES) if random.random() < 0.8 else _text_of(random)


def _name(random: Random) -> bytes:
    return one_of(random, pool.NAMES) if random.random() < 0.95 else _text_of(random)


def _add_member(random: Random, tokens: Tokens) -> None:
    """Add a member as the first or the last of an object."""
    place = _place(random, tokens, b"{}".__contains__)
    if place is None:
        return
    gap = one_of(random, (b"", b"", b" ", b"\n  "))
    member = _name(random) + gap + b":" + gap + _value(random)
    if tokens[place] == b"{":
        tokens.insert(place + 1, member + (b"," if _next(tokens, place) != b"}" else b""))
    else:
        tokens.insert(place, (b"," if _last(tokens, place) != b"{" else b"") + member)


def _next(tokens: Tokens, place: int) -> bytes:
    return next((token for token in tokens[place + 1 :] if token.strip()), b"")


def _last(tokens: Tokens, place: int) -> bytes:
    return next((token for token in reversed(tokens[:place]) if token.strip()), b"")


def _add_entry(random: Random, tokens: Tokens) -> None:
    place = _place(random, tokens, b"[".__eq__)
    if place is not None:
        tokens.insert(place + 1, _value(random) + (b"," if _next(tokens, place) != b"]" else b""))


def _replace_value(random: Random, tokens: Tokens) -> None:
    place = _place(random, tokens, b":".__eq__)
    if place is not None:
        tokens[place + (2 if tokens[place + 1].isspace() else 1)] = _value(random)


def _replace_name(random: Random, tokens: Tokens) -> None:
    place = _place(random, tokens, b":".__eq__)
    if place is not None:
        tokens[place - 1] = _name(random)


def _set_known(random: Random, tokens: Tokens) -> None:
    """Give a member that the page is read for another value."""
    place = _place(random, tokens, pool.KNOWN.__contains__)
    if place is not None:
        end = place + 2 + tokens[place + 2].isspace()
        tokens[place + 1 : end + 1] = [b":", _value(random)]


def _swap(random: Random, tokens: Tokens) -> None:
    if tokens:
        one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]


def _drop(random: Random, tokens: Tokens) -> None:
    if tokens:
        del tokens[random.randrange(len(tokens))]


def _repeat(random: Random, tokens: Tokens) -> None:
    """Repeat some tokens, such as a whole member or object."""
    if tokens:
        start = random.randrange(len(tokens))
        part = tokens[start : start + one_of(random, (1, 2, 4, 5, 9, 40))]
        at = one_of(random, (start, start + len(part), random.randrange(len(tokens))))
        tokens[at:at] = part


def _space(random: Random, tokens: Tokens) -> None:
    tokens.insert(random.randint(0, len(tokens)), one_of(random, pool.SPACES))


def _any_token(random: Random, tokens: Tokens) -> None:
    tokens.insert(random.randint(0, len(tokens)), one_of(random, pool.PIECES))


def _in_text(random: Random, tokens: Tokens) -> None:
    """Put something into a text or a name."""
    place = _place(random, tokens, lambda token: token[0] == _QUOTE and len(token) > 1)
    if place is not None:
        at = random.randint(1, len(tokens[place]) - 1)
        tokens[place] = tokens[place][:at] + one_of(random, pool.IN_TEXTS) + tokens[place][at:]


def _beside_data(random: Random, tokens: Tokens) -> None:
    """Add a member beside `data`, behind the beginning or before the end."""
    member = one_of(random, pool.BESIDE)
    if random.random() < 0.5:
        tokens[1:1] = [member, b","]
    else:
        tokens[-1:-1] = [b",", member]


def _flip(random: Random, content: bytes) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]


def _insert(random: Random, content: bytes) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + one_of(random, pool.BYTES) + content[at:]


def _cut(random: Random, content: bytes) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + content[at + one_of(random, (1, 1, 1, 2, 8, 100_000)) :]


_TEXTS = (
    *(*CLIENT_SECRETS, *KEYS, *PUBLIC),
    *(f"sk\\u005flive_{CODE}", f"pi_1%5Fsecret%5F{CODE}", f"%2570i_1_secret_{CODE}"),
)
_ON_TOKENS = (
    *(_add_member, _add_member, _add_member, _add_entry, _replace_value, _replace_value, _replace_name, _set_known),
    *(_set_known, _swap, _drop, _repeat, _space, _space, _any_token, _in_text, _beside_data),
)
_ON_BYTES = (_flip, _insert, _cut)
