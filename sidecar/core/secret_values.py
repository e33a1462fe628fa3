"""What of Stripe's objects is a secret wherever it stands, and how it is left out.

A secret is found by the name of its member or by the shape of a text, at any depth, in values and in names, also where
letters are percent-encoded or escaped as in JSON, several times over. README, *Secrets within values*, lists every
attribute that the operations serve, with Stripe's pages and with the reason for each that is not left out.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

# Stripe's own spelling of secrets. A text without Stripe's form of an ID before `_secret_` is somebody's words, such as
# `my_secret_plan`, unless as long a code follows as Stripe's are (cuss_secret_…, accs_secret__…).
_CLIENTS = r"client_secret[\s\"'\\\])]*[=:]|[a-z]_[A-Za-z0-9]+_secret_+[A-Za-z0-9]|_secret_+[A-Za-z0-9]{16}"
# Secret, restricted and ephemeral keys, also of an organization, and a terminal's connection token
# (docs.stripe.com/keys); a webhook's secret; one-time tokens of cards and bank accounts (docs.stripe.com/api/tokens).
_START = r"(?<![A-Za-z0-9])"
_KEY = rf"{_START}(?:[ers]k|pst)_(?:org_)?(?:live|test)_[A-Za-z0-9]|{_START}(?:whsec|(?:b|cvc)?tok)_[A-Za-z0-9]"

# Every text with a secret has one of these, unless letters are encoded. One pattern with one first letter and two plain
# words are a tenth of the time that one pattern for all takes, and one that looks for any key takes no page along that
# merely names a Checkout Session (cs_test_…).
_KEY_MARKS = r"(?:live|test)_(?<=[gkt]_(?:live|test)_)|method_data"
_WORDS = ("whsec_", "tok_")
# A letter, digit, `_`, `%` or `\` that nobody needs to encode: with others, such as %20 and %2F, no mark can be hidden.
_ENCODED = r"%(?:25|3[0-9]|[46][1-9A-Fa-f]|5[0-9AaCcFf]|7[0-9Aa])"
_ESCAPED = r"\\u00[2-7]"
_ESCAPE = re.compile(r"(?<!\\)\\+u([0-9A-Fa-f]{4})")  # texts within texts have several backslashes
_MOST_LAYERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Secrets:
    """Some kinds of secrets. `shape` is that of a text with one, `name` of a member that is one whatever its value."""

    shape: re.Pattern[str]
    name: re.Pattern[str]
    marks: re.Pattern[str]
    written_marks: re.Pattern[bytes]

    @classmethod
    def of(cls, *, shapes: str, names: str, marks: str) -> "Secrets":
        marked = f"_(?:{marks})"
        return cls(
            re.compile(shapes),
            re.compile(rf"\A(?:{names})\Z|{shapes}"),
            re.compile(marked),
            re.compile(marked.encode()),
        )

    def may_be_in(self, written: bytes) -> bool:
        """Say quickly whether JSON may contain one: False is certain, True is not."""
        return (
            self.written_marks.search(written) is not None
            or any(word in written for word in _WRITTEN_WORDS)
            or _ENCODED_BYTES.search(written) is not None
            or (b"\\" in written and _ESCAPED_BYTES.search(written) is not None)
        )

    def are_in(self, text: str) -> bool:
        """Say whether a text contains one. One that is encoded too many times to be read counts as one."""
        return self._may_be_in(text) and _found(self.shape, text)

    def left_out(self, value: dict[str, object]) -> dict[str, object]:
        """Copy an object without the members whose names or texts are secrets, at any depth."""
        return {
            name: self._public(member)
            for name, member in value.items()
            if not _is_name(self, name) and not self._is_secret(member)
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
        if "_" not in text and "%" not in text and "\\" not in text:
            return False
        return (
            self.marks.search(text) is not None
            or any(word in text for word in _WORDS)
            or _ENCODED_TEXT.search(text) is not None
            or ("\\" in text and _ESCAPED_TEXT.search(text) is not None)
        )


_WRITTEN_WORDS = tuple(word.encode() for word in _WORDS)
_ENCODED_TEXT, _ENCODED_BYTES = re.compile(_ENCODED), re.compile(_ENCODED.encode())
_ESCAPED_TEXT, _ESCAPED_BYTES = re.compile(_ESCAPED), re.compile(_ESCAPED.encode())

NOBODYS = Secrets.of(shapes=_KEY, names="payment_method_data", marks=_KEY_MARKS)
# `use_stripe_sdk` is for Stripe's own script alone, which has the secret (docs.stripe.com/api/payment_intents/object).
ALL = Secrets.of(
    shapes=f"{_KEY}|{_CLIENTS}",
    names=r"payment_method_data|use_stripe_sdk|(?:[a-z_]+_)?client_secret",
    marks=rf"secret|stripe_sdk|{_KEY_MARKS}",
)


@lru_cache(maxsize=4096)  # names are the same in all objects of a kind
def _is_name(secrets: Secrets, name: str) -> bool:
    return secrets._may_be_in(name) and _found(secrets.name, name)  # noqa: SLF001 - a method in all but its memory


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
