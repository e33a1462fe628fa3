"""Parses what Stripe wrote. JSON bounds neither its numbers nor its depth (RFC 8259, sections 6 and 9); orjson does."""

import json
import math
import re
from typing import NoReturn

import orjson

_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")  # a text only if the other half follows, which is not looked for
_INTEGERS = range(-(2**63), 2**64)  # orjson reads and writes these as they are, and all others as a float
_LONGEST = len(str(_INTEGERS[0]))


def parsed(content: bytes) -> object:
    """Parse a text, with a number beyond what a float holds as an `orjson.Fragment`, which is written as it was read.

    So what may be passed on unparsed may be parsed as well. Raises ValueError.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        if _HALF_A_PAIR.search(content):
            raise
    try:
        return json.loads(content.decode(), parse_float=_number, parse_int=_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(text: str) -> int | float | orjson.Fragment:
    if len(text) <= _LONGEST and text.removeprefix("-").isdigit() and (integer := int(text)) in _INTEGERS:
        return integer
    number = float(text)
    return number if math.isfinite(number) else orjson.Fragment(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")
