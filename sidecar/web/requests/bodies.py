"""Reads request bodies: strict JSON of a known shape. A fault names its attribute, and repeats no value."""

import asyncio
import json
from collections.abc import Collection, Mapping

import orjson
from aiohttp import web
from pydantic import ValidationError

from sidecar.core.item_keys import LONGEST
from sidecar.core.operations.form import flattened
from sidecar.core.operations.operator_values import decided_place
from sidecar.core.operations.parameters import Expansion, Group, Reference, found
from sidecar.core.operations.resources import PRICE
from sidecar.core.operations.row import Kind
from sidecar.core.operations.rules import Rule
from sidecar.errors import ContentTooLarge, InvalidPayload, InvalidQuery, RequestTimeout, UnsupportedMedia
from sidecar.web.requests.models import Model, body_model, query_model

MAX_BODY = 64 * 1024  # bytes
_READ_TIMEOUT = 10.0  # seconds for a body to arrive
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}  # what a page can send to any site
_DECIDED = "the operator sets it; leave it out."


class Reader:
    """Reads the input of one operation's requests; gives only values that the rule allows."""

    def __init__(self, rule: Rule, return_urls: Collection[str] = ()) -> None:
        self.rule = rule
        self._one_of = rule.one_of
        self.parameters = rule.parameters
        in_query = rule.operation.in_query
        self._fixed_filters = flattened(rule.operator.fixed) if in_query else {}
        self.model: Model = query_model(rule) if in_query else body_model(rule, return_urls)

    async def body(self, request: web.Request) -> dict[str, object]:
        """Give the values that were sent, by name. A body that is missing or empty has none of them.

        Raises UnsupportedMedia, ContentTooLarge, RequestTimeout and InvalidPayload.
        """
        bare = not request.body_exists and request.content_type not in _FORMS
        values = self._values({} if bare else _parse(await _read(request)))
        named = [name for name in self._one_of if name in values]
        if self._one_of and len(named) != 1:
            raise InvalidPayload(f"{', '.join(self._one_of)}: send {'one of them' if self._one_of[1:] else 'it'}.")
        self._judge_groups(values)
        self._judge_prices(values)
        return values

    def filters(self, given: Mapping[str, str | list[str]]) -> dict[str, str]:
        """Validate the filters of a list, add the operator's, and give them as Stripe's parameters.

        Raises InvalidQuery.
        """
        if (place := decided_place(given, self.rule.operator.fixed, self.parameters)) is not None:
            raise InvalidQuery(f"{place}: {_DECIDED}")
        try:
            self.model.model_validate(dict(given))
        except ValidationError as error:
            raise InvalidQuery(_faults(error)) from None
        wanted = {each.name for each in self.parameters if isinstance(each.type, Expansion)} & given.keys()
        values: dict[str, object] = {name: value for name, value in given.items() if name not in wanted}
        expanded = [f"data.{given[name]}" for name in sorted(wanted)]
        return {**flattened({**values, "expand": expanded}), **self._fixed_filters}

    def _values(self, body: object) -> dict[str, object]:
        if not isinstance(body, dict):
            raise InvalidPayload('The body must be a JSON object, such as {"email": "ada@example.com"}.')
        if (place := decided_place(body, self.rule.operator.fixed, self.parameters)) is not None:
            raise InvalidPayload(f"{place}: {_DECIDED}")
        try:
            read = self.model.model_validate(body)
        except ValidationError as error:
            raise InvalidPayload(_faults(error)) from None
        if self.rule.operation.kind is Kind.ACT:
            return read.model_dump(exclude_unset=True)
        return read.model_dump(exclude_none=True)

    def _judge_groups(self, values: Mapping[str, object]) -> None:
        for place, group, members in found(self.parameters, values, Group):
            if group.any_of and isinstance(members, Mapping) and members.keys().isdisjoint(group.any_of):
                raise InvalidPayload(f"{place}: needs {' or '.join(group.any_of)}.")

    def _judge_prices(self, values: Mapping[str, object]) -> None:
        """Where the operator lists prices, refuse others, none of one, and a quantity whose price may be another."""
        if self.rule.prices is None:
            return
        for place, reference, price in found(self.parameters, values, Reference):
            if reference.resource is PRICE and price not in self.rule.prices:
                raise InvalidPayload(f"{place}: this price is not allowed here.")
        for place, group, members in found(self.parameters, values, Group):
            prices = group.names_of(PRICE)
            if not (prices and isinstance(members, Mapping) and "quantity" in members):
                continue
            if members.keys().isdisjoint(prices):
                raise InvalidPayload(f"{place}.quantity: send the price with it, one that is allowed here.")
            if members["quantity"] == 0:
                raise InvalidPayload(f"{place}.quantity: must be at least 1 here.")


async def _read(request: web.Request) -> bytes:
    # A form cannot send this type, and a foreign site's script needs a CORS preflight first.
    if request.content_type != "application/json":
        raise UnsupportedMedia("Send the body as Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMedia("Send the body without Content-Encoding.")
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            return await request.read()
    except TimeoutError:
        raise RequestTimeout("The body did not arrive in time.") from None
    except web.HTTPRequestEntityTooLarge:
        raise ContentTooLarge(f"The body is longer than {MAX_BODY} bytes.") from None


def _parse(content: bytes) -> object:
    if not content:
        return {}
    try:
        orjson.loads(content)  # the stricter parser: no NaN, no lone surrogate, nothing but UTF-8
        return json.loads(content, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise InvalidPayload("The body is not valid JSON.") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidPayload("The body names an attribute twice.")
    return members


def _faults(error: ValidationError) -> str:
    return " ".join(dict.fromkeys(_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()))


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if location[:1] == ("item",) and kind != "value_error":
        return f"item: must be a primary key, a whole number or a text of 1 to {LONGEST} characters."
    name = ".".join(str(part) for part in location)
    shown = name[:64] if name.isascii() and name.isprintable() else "(unprintable)"
    match kind:
        case "missing":
            return f"{shown}: is required."
        case "extra_forbidden":
            return f"{shown}: is not an attribute that can be set here."
        case "model_type":  # pydantic's words contain the name of our model
            return f"{shown}: must be an object."
        case _:
            return f"{shown}: {message.removeprefix('Value error, ')}."
