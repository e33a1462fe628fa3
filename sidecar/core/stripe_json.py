"""Parses what Stripe wrote. JSON bounds neither its numbers nor its depth (RFC 8259, sections 6 and 9); orjson does."""

import json
import math
import re
from typing import NoReturn

import orjson

_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")  # a text only if the other half follows, which is not looked for
_SURE = 18  # digits that are a number of 64 bits whatever they are


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
    if len(text) <= _SURE and text.removeprefix("-").isdigit():
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else orjson.Fragment(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")
