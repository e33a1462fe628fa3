"""What of Stripe's objects is a secret wherever it stands, and how it is left out.

A secret is found by the name of its member or by the shape of a text, at any depth, in values and in names, also where
letters are percent-encoded or escaped as in JSON, several times over. sidecar/README.md, *Secrets within values*, lists
what Stripe's documentation says to keep from others, with its pages, and why each is treated as it is.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated
from urllib.parse import unquote

from pydantic import StringConstraints, TypeAdapter, ValidationError

# Stripe's own spelling of secrets. A text without Stripe's form of an ID before `_secret_` is somebody's words, such as
# `my_secret_plan`, unless as long a code follows as Stripe's are (cuss_secret_…, accs_secret__…).
_CLIENTS = r"client_secret[\s\"'\\\])]*[=:]|[a-z]_[A-Za-z0-9]+_secret_+[A-Za-z0-9]|_secret_+[A-Za-z0-9]{16}"
# Secret, restricted and ephemeral keys, also of an organization (docs.stripe.com/keys), a webhook's secret, and the
# one-time tokens of cards and bank accounts (docs.stripe.com/api/tokens).
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))"  # also behind a line end as JSON within a text writes it
_KEYS = rf"{_START}[ers]k_(?:org_)?(?:live|test)_[A-Za-z0-9]|{_START}(?:whsec|(?:b|cvc)?tok)_[A-Za-z0-9]"

# Marks: every text with a secret has one of them, unless letters are encoded.
_KEY_WORDS = ("whsec_", "tok_")
_KEY_MARK = r"k_(?:live|test|org)_"
# A letter, digit, `_`, `%` or `\` that nobody needs to encode: with others, such as %20 and %2F, no mark can be hidden.
_PERCENT = r"%(?:25|3[0-9]|[46][1-9A-Fa-f]|5[0-9AaCcFf]|7[0-9Aa])"
_ENCODINGS = (_PERCENT, r"\\u00[2-7]")
_ESCAPE = re.compile(r"(?<!\\)\\+u([0-9A-Fa-f]{4})")  # texts within texts have several backslashes
_MOST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class _Marks:
    """`encodings`: how letters may be encoded, by what such an encoding begins with; that alone is found at once."""

    words: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    encodings: tuple[tuple[str, re.Pattern[str]], ...]

    def are_in(self, text: str) -> bool:
        return (
            any(pattern.search(text) for pattern in self.patterns)
            or any(word in text for word in self.words)
            or any(first in text and pattern.search(text) for first, pattern in self.encodings)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _MarksInJson:
    """The same in bytes: a page of a hundred is read once for all marks, which takes a tenth of the time of `re`."""

    marks: TypeAdapter[str]
    encodings: tuple[tuple[bytes, TypeAdapter[str]], ...]

    def are_in(self, written: bytes) -> bool:
        return _is_in(self.marks, written) or any(
            first in written and _is_in(pattern, written) for first, pattern in self.encodings
        )


def _search(pattern: str) -> TypeAdapter[str]:
    """Make a text with a pattern: Rust's `regex` looks for all alternatives at once, in linear time."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)], config={"regex_engine": "rust-regex"})


def _is_in(pattern: TypeAdapter[str], written: bytes) -> bool:
    """Say whether the pattern is found, or the bytes are no text, of which nobody can tell."""
    try:
        pattern.validate_python(written)
    except ValidationError as error:
        [reason] = error.errors(include_url=False, include_context=False, include_input=False)
        return reason["type"] != "string_pattern_mismatch"
    return True


def _of_texts(words: tuple[str, ...], patterns: tuple[str, ...]) -> _Marks:
    return _Marks(words, tuple(map(re.compile, patterns)), tuple((one[0], re.compile(one)) for one in _ENCODINGS))


def _of_json(words: tuple[str, ...], patterns: tuple[str, ...]) -> _MarksInJson:
    encodings = tuple((one[0].encode(), _search(one)) for one in _ENCODINGS)
    return _MarksInJson(_search("|".join((*words, *patterns))), encodings)


@dataclass(frozen=True, slots=True, eq=False)
class Secrets:
    """Some kinds of secrets. `shape` is that of a text with one, `name` of a member that is one whatever its value."""

    shape: re.Pattern[str]
    name: re.Pattern[str]
    in_text: _Marks
    in_json: _MarksInJson

    def may_be_in(self, written: bytes) -> bool:
        """Say quickly whether JSON may contain one: False is certain, True is not."""
        return self.in_json.are_in(written)

    def are_in(self, text: str) -> bool:
        """Say whether a text contains one. One that is encoded too many times to be read counts as one."""
        return self._may_be_in(text) and _found(self.shape, text)

    def is_name(self, name: str) -> bool:
        """Say whether a member of this name is one, or contains one in its name."""
        return self._may_be_in(name) and _found(self.name, name)

    def left_out(self, value: dict[str, object]) -> dict[str, object]:
        """Copy an object without the members whose names or texts are secrets, at any depth."""
        return {
            name: self._public(member)
            for name, member in value.items()
            if not _remembered(self, name) and not self._is_secret(member)
        }

    def _public(self, member: object) -> object:
        if isinstance(member, dict):
            return self.left_out(member)
        if isinstance(member, list):
            return [self._public(entry) for entry in member if not self._is_secret(entry)]
        return member

    def _is_secret(self, member: object) -> bool:
        return isinstance(member, str) and self.are_in(member)

    def _may_be_in(self, text: str) -> bool:
        return ("_" in text or "%" in text or "\\" in text) and self.in_text.are_in(text)


def _secrets(shapes: str, names: str, words: tuple[str, ...], patterns: tuple[str, ...]) -> Secrets:
    name = re.compile(rf"\A(?:{names})\Z|{shapes}" if names else shapes)
    return Secrets(re.compile(shapes), name, _of_texts(words, patterns), _of_json(words, patterns))


NOBODYS = _secrets(_KEYS, "", _KEY_WORDS, (_KEY_MARK,))
# `use_stripe_sdk` is for Stripe's own script alone, which has the secret (docs.stripe.com/api/payment_intents/object).
ALL = _secrets(
    f"{_KEYS}|{_CLIENTS}",
    r"use_stripe_sdk|(?:[a-z_]+_)?client_secret",
    ("use_stripe_sdk", "secret", *_KEY_WORDS),
    (_KEY_MARK,),
)


@lru_cache(maxsize=4096)  # names are the same in all objects of a kind
def _remembered(secrets: Secrets, name: str) -> bool:
    return secrets.is_name(name)


def _found(shape: re.Pattern[str], text: str) -> bool:
    """Look for a shape in a text and in all that it decodes to."""
    if shape.search(text):
        return True
    for _ in range(_MOST_LAYERS):
        before = text
        for decoded in (unquote, _unescaped):
            text = decoded(text)
            if shape.search(text):
                return True
        if text == before:
            return False
    return True


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
