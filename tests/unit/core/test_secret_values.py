"""How secrets are found within values, and what is not one."""

import json
import time
from typing import Any
from urllib.parse import quote, unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.secret_values import ALL, NOBODYS
from tests.doubles.secret_spellings import CLIENT_SECRETS, CODE, KEYS, PUBLIC, decoded, spellings

NAMES = st.sampled_from(["id", "object", "url", "metadata", "next_action", "data"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(PUBLIC),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)
SECRETS = st.sampled_from(CLIENT_SECRETS + KEYS).flatmap(spellings)


def planted(draw: st.DrawFn, value: Any, secret: str) -> Any:  # noqa: ANN401 - any JSON
    """Put a secret somewhere into a value: as a text, as a part of one, as an entry or as a name."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: planted(draw, value[name], secret)}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], planted(draw, value[place], secret), *value[place + 1 :]]
    text = draw(st.sampled_from(["", "see ", "https://pay.example/?a=b&c=", "{'x': '"])) + secret
    return draw(st.sampled_from([text, [value, text], {text: value}, {"a": value, "b": {"c": [text]}}]))


@st.composite
def objects_with_a_secret(draw: st.DrawFn) -> dict[str, object]:
    value = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    return {**value, "deep": planted(draw, draw(VALUES), draw(SECRETS))}


@given(objects_with_a_secret())
def test_no_secret_is_left(value: dict[str, object]) -> None:
    """O4: wherever a secret stands and however its letters are spelled, nothing that decodes to it is left."""
    assert ALL.may_be_in(orjson.dumps(value))
    assert CODE not in decoded(orjson.dumps(ALL.left_out(value)).decode())


PIECES = st.sampled_from(
    [
        *(
            "client",
            "_secret",
            "_",
            "__",
            "pi_",
            "a",
            "abcdefgh",
            "=",
            ":",
            " ",
            '"',
            "s",
            "r",
            "e",
            "k_",
            "org_",
            "live_",
        ),
        *(
            "test_",
            "whsec",
            "tok",
            "b",
            "cvc",
            "\\",
            "\n",
            "n",
            "use_stripe_sdk",
            "%",
            "5f",
            "%5F",
            "%73",
            "%255f",
            "\\u005f",
        ),
        *("\\\\u0065", "u005f", "é", "\x7f"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.booleans())
def test_marks_miss_nothing(text: str, ascii_only: bool) -> None:  # noqa: FBT001 - json's `ensure_ascii`
    """O4: whatever has a secret's form, or decodes to it, is noticed in JSON as well: as a value and as a name."""
    for secrets in (ALL, NOBODYS):
        shown = any(secrets.shape.search(one) for one in (text, unquote(text), decoded(text)))
        values: list[dict[str, object]] = [{"a": [text]}, {text: 1}]
        for value in values:
            noticed = secrets.may_be_in(json.dumps(value, ensure_ascii=ascii_only).encode())
            assert noticed or not shown
            assert noticed or secrets.left_out(value) == value


@pytest.mark.parametrize("written", [b"\xff", b'{"a":"\xed\xa0\x80"}', b'"' + b"a" * 100_000 + b'\xc3"'])
def test_bytes_that_are_no_text(written: bytes) -> None:
    """O4: of bytes that are no text nobody can tell, so they may hold a secret."""
    assert ALL.may_be_in(written)
    assert NOBODYS.may_be_in(written)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_all_else_is_left(value: dict[str, object]) -> None:
    """O4: an object without a secret stays as it is, whatever its words look like."""
    assert value == ALL.left_out(value) == NOBODYS.left_out(value)


@pytest.mark.parametrize("text", PUBLIC)
def test_texts_that_are_none(text: str) -> None:
    """O4: names, plans, IDs, publishable keys and plain addresses are no secrets, percent-encoded or not."""
    assert not ALL.are_in(text)
    assert not ALL.are_in(quote(text))


@pytest.mark.parametrize("text", CLIENT_SECRETS)
def test_client_secrets_of_an_object_that_shows_its_own(text: str) -> None:
    """O4: client secrets are told from what is nobody's."""
    assert ALL.are_in(text)
    assert not NOBODYS.are_in(text)


@pytest.mark.parametrize("text", KEYS)
def test_keys(text: str) -> None:
    """O4, S1: keys, signing secrets and one-time tokens are nobody's."""
    assert NOBODYS.are_in(text)
    assert NOBODYS.are_in(f"the key is {quote(quote(text, safe=''))}.")


@pytest.mark.parametrize("text", KEYS)
@pytest.mark.parametrize("before", ["\n", "\t", "\r", "\b", "\f", "\\", '"'])
def test_keys_behind_an_escape(text: str, before: str) -> None:
    """O4, S1: a key is found in JSON within texts, also where an escape with a letter stands before it."""
    once = orjson.dumps({"note": f"its keys:{before}{text}"}).decode()

    for written in (once, orjson.dumps([once]).decode()):
        assert NOBODYS.are_in(written)
        assert NOBODYS.may_be_in(orjson.dumps({"metadata": {"a": written}}))


@pytest.mark.parametrize(
    "name",
    ["client_secret", "payment_intent_client_secret", "client%5fsecret", "use_stripe_sdk"],
)
def test_names(name: str) -> None:
    """O4: a member with such a name is left out whatever it holds."""
    assert ALL.left_out({"id": "pi_1", "a": [{name: {"x": 1}, "b": 2}]}) == {"id": "pi_1", "a": [{"b": 2}]}


@pytest.mark.parametrize("text", ["%" + "25" * 9 + "5F", "x%2525252525252525255F_secret"])
def test_encoded_too_many_times(text: str) -> None:
    """O4: what is encoded more often than it is decoded here counts as a secret."""
    assert ALL.are_in(text)


@pytest.mark.parametrize("piece", ["a", "a_", "_secret", "_secret_", "a_1_secret", "%25", "\\", "client_secret\\", "_"])
def test_long_texts_take_no_time(piece: str) -> None:
    """O4: no text takes longer than its length warrants (40,000 characters is Stripe's longest)."""
    text = piece * (40_000 // len(piece)) + "_secret%5F"
    began = time.process_time()

    ALL.are_in(text)

    assert time.process_time() - began < 0.5
