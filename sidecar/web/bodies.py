"""Reads request bodies: strict JSON of a known shape. A fault is named by its attribute; no value is repeated."""

import asyncio
import json
import re
from typing import Annotated, NoReturn

from aiohttp import web
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from sidecar.core.creation import NewCustomer
from sidecar.errors import ContentTooLarge, InvalidPayload, RequestTimeout, UnsupportedMedia

MAX_BODY = 64 * 1024  # bytes
_READ_TIMEOUT = 10.0  # seconds for a body to arrive
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _email(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None
    return value


def _one_line(value: str) -> str:
    if _CONTROL.search(value) or not value.strip():
        raise ValueError("must be one line of text")
    return value


# A primary key becomes a path segment at Directus: nothing in it may mean anything there.
_TextKey = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:@~+-]{0,254}$")]
_Line = Annotated[StrictStr, Field(max_length=5000), AfterValidator(_one_line)]
_Locale = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
_NumberKey = Annotated[StrictInt, Field(ge=0, lt=2**53)]  # what JavaScript, so Directus, can tell apart


_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AddressBody(BaseModel):
    model_config = _STRICT

    line1: _Line | None = None
    line2: _Line | None = None
    city: _Line | None = None
    state: _Line | None = None
    postal_code: _Line | None = None
    country: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}$")] | None = None


class CustomerBody(BaseModel):
    """Names and lengths are Stripe's (docs.stripe.com/api/customers/create)."""

    model_config = _STRICT

    email: Annotated[StrictStr, Field(max_length=512), AfterValidator(_email)]
    name: Annotated[_Line, Field(max_length=256)] | None = None
    phone: Annotated[_Line, Field(max_length=20)] | None = None
    description: _Line | None = None
    address: AddressBody | None = None
    preferred_locales: Annotated[list[_Locale], Field(max_length=20)] | None = None
    item: _NumberKey | _TextKey | None = None


async def read_customer(request: web.Request, *, write_back: bool) -> NewCustomer:
    """Raises UnsupportedMedia, ContentTooLarge and InvalidPayload."""
    body = _validated(_parse(await _read(request)))
    if body.item is not None and not write_back:
        raise InvalidPayload("item: this service does not write customer IDs back; leave it out.")
    attributes = body.model_dump(exclude={"item"}, exclude_none=True)
    return NewCustomer(attributes, body.item)


def read_key(request: web.Request) -> str | None:
    """Read the client's `Idempotency-Key` (docs.stripe.com/api/idempotent_requests). Raises InvalidPayload."""
    values = request.headers.getall("Idempotency-Key", [])
    if not values:
        return None
    if len(values) > 1 or not _KEY.fullmatch(values[0]):
        raise InvalidPayload("Idempotency-Key: send it once, with 1 to 255 visible characters.")
    return values[0]


async def _read(request: web.Request) -> bytes:
    # A form cannot send this type, and a script of a foreign site cannot without asking first.
    if request.content_type != "application/json":
        raise UnsupportedMedia("Send the body as Content-Type: application/json.")
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            return await request.read()
    except TimeoutError:
        raise RequestTimeout("The body did not arrive in time.") from None
    except web.HTTPRequestEntityTooLarge:
        raise ContentTooLarge(f"The body is longer than {MAX_BODY} bytes.") from None


def _parse(content: bytes) -> object:
    try:
        return json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidPayload("The body is not valid JSON.") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidPayload("The body names an attribute twice.")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _validated(body: object) -> CustomerBody:
    if not isinstance(body, dict):
        raise InvalidPayload('The body must be a JSON object, such as {"email": "ada@example.com"}.')
    try:
        return CustomerBody.model_validate(body)
    except ValidationError as error:
        faults = dict.fromkeys(_fault(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise InvalidPayload(" ".join(faults)) from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if location[0] == "item":
        return "item: must be a primary key, a whole number or a text of letters, digits and _.:@~+-."
    name = ".".join(str(part) for part in location)
    shown = name[:64] if name.isascii() and name.isprintable() else "(unprintable)"
    match kind:
        case "missing":
            return f"{shown}: is required."
        case "extra_forbidden":
            return f"{shown}: is not an attribute that can be set here."
        case _:
            return f"{shown}: {message.removeprefix('Value error, ')}."
