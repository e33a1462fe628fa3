"""How Stripe's answers are parsed where orjson cannot."""

import json
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.stripe_json import parsed

BEYOND = "1e999"
DIGITS = st.text("0123456789", min_size=1, max_size=40).map(lambda text: text.lstrip("0") or "0")
NUMBERS = st.builds(
    lambda sign, whole, part, power: f"{sign}{whole}{part}{power}",
    st.sampled_from(["", "-"]),
    DIGITS,
    st.just("") | DIGITS.map(lambda text: f".{text}"),
    st.just("") | st.integers(-400, 400).map(lambda power: f"e{power}") | st.integers(0, 400).map("E+{}".format),
)


@given(NUMBERS)
def test_numbers(number: str) -> None:
    """A number is the same whether or not another in the same text is beyond a float; one that is stays as written."""
    alone, beside = parsed(f"[{number}]".encode()), parsed(f"[{number},{BEYOND}]".encode())

    assert orjson.dumps(beside) == orjson.dumps(alone)[:-1] + f",{BEYOND}]".encode()
    try:
        assert orjson.dumps(alone) == orjson.dumps(orjson.loads(f"[{number}]"))
    except orjson.JSONDecodeError:
        assert orjson.dumps(alone) == f"[{number}]".encode()


@pytest.mark.parametrize(
    "number",
    [
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63),
        -(2**63) - 1,
        2**53 + 1,
        10**17 + 1,
        10**18 + 1,
        10**20,
        -(10**19),
        0,
    ],
)
def test_integers_of_64_bits(number: int) -> None:
    """Integers of 64 bits stay exact beside a number that is beyond a float; others are floats, as orjson has them."""
    assert (
        orjson.dumps(parsed(f"[{number},{BEYOND}]".encode()))
        == orjson.dumps(orjson.loads(f"[{number}]"))[:-1] + b",1e999]"
    )


def test_as_many_digits_as_you_like() -> None:
    """A number longer than Python's limit on digits is kept as it was written."""
    number = b"7" * (sys.get_int_max_str_digits() + 1)

    assert orjson.dumps(parsed(b'{"a":%s}' % number)) == b'{"a":%s}' % number


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            b"{",
            b"[NaN]",
            b"[Infinity]",
            b"[-Infinity]",
            b"[1e999,NaN]",
            b"[1e999,-Infinity]",
            b"[01]",
            b"[1e999,01]",
        ),
        *(
            b"[1e999,]",
            b"[1e999]x",
            b"\xef\xbb\xbf[1e999]",
            b'[1e999,"\xff"]',
            b'[1e999,"\x00"]',
            b'[1e999,"\xed\xa0\x80"]',
        ),
        *(
            b'[1e999,"\\ud800"]',
            b'[1e999,"\\uDC00"]',
            b'["\\ud800"]',
            b"[1e999\x0c]",
            b"[1e999\xc2\xa0]",
            "[1e999]".encode("utf-16"),
        ),
        *(b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000, b"[" * 2_000 + b"1e999,NaN" + b"]" * 2_000),
    ],
)
def test_what_is_no_json(content: bytes) -> None:
    """What orjson refuses for another reason than a number or depth is refused; so is what is nested too deeply."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the words
        parsed(content)


def test_texts_beside_a_large_number() -> None:
    """Texts, names and what stands twice are read as ever beside a number beyond a float."""
    content = '{"a": "é\\n😀", "b": 1e999, "c": [true, false, null, 1.5, -0.25], "d": 1, "d": 2}'

    assert orjson.loads(orjson.dumps(parsed(content.encode())).replace(b"1e999", b"0")) == {
        **json.loads(content),
        "b": 0,
    }
