"""Judges Directus's answers about items: the data that was asked for, a refusal, or no answer.

A refusal names the fields that Directus names, never its text or a value: those can quote what somebody else wrote.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from sidecar.clients.directus.client import DirectusAnswer
from sidecar.errors import DirectusUnavailable, ItemRefused

_CALLERS_FAULT = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_NAMING = ("field", "collection", "type")  # of an error's extensions; `type` is the rule that a value breaks
_MOST = 20  # fields that a message names
_SHORT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,128}")
_SINGLETON = (
    "STRIPE_CUSTOMERS_COLLECTION seems to be a singleton, which has one item and cannot hold customers: "
    "turn that off in Directus, or name another collection"
)


def data_of(answer: DirectusAnswer, what: str) -> object:
    """Raises ItemRefused with Directus's code for a refusal, and DirectusUnavailable for any other failure."""
    if answer.code == "ROUTE_NOT_FOUND":  # a singleton has no route to create an item, nor one for a single item
        raise DirectusUnavailable(f"{what}: no such route. {_SINGLETON}")
    if answer.code is not None and answer.status in _CALLERS_FAULT:
        raise _refusal(answer, answer.code, what)
    if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise answer.unavailable(what)
    return answer.data


def rows_of(answer: DirectusAnswer, what: str) -> list[object]:
    """Give the rows of a list; raises as `data_of` does, and DirectusUnavailable for anything but a list."""
    data = data_of(answer, what)
    if isinstance(data, dict):
        raise DirectusUnavailable(f"{what}: the answer is one item and no list. {_SINGLETON}")
    if not isinstance(data, list):
        raise DirectusUnavailable(f"{what}: the answer is not a list")
    return data


def _refusal(answer: DirectusAnswer, code: str, what: str) -> ItemRefused:
    errors = list(_named(answer.body))
    fields = list(dict.fromkeys(error["field"] for error in errors if "field" in error))[:_MOST]
    where = f" at {', '.join(fields)}" if fields else ""
    license_ = " Its license does not allow that." if code == "RESOURCE_RESTRICTED" else ""
    return ItemRefused(
        f"Directus does not let you {what} ({code}{where}).{license_}",
        status=answer.status,
        code=code,
        extensions=errors[0] if errors else None,
    )


def _named(body: object) -> Iterator[Mapping[str, str]]:
    """Give what each error names, with names and values as Directus has them in `extensions`."""
    errors = body.get("errors") if isinstance(body, dict) else None
    for error in errors if isinstance(errors, list) else ():
        match error:
            case {"extensions": dict(extensions)}:
                found = {name: extensions.get(name) for name in _NAMING}
                yield {n: text for n, text in found.items() if isinstance(text, str) and _SHORT.fullmatch(text)}
