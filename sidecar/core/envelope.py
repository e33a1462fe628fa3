"""Errors in Directus's shape, so that `@directus/sdk` reads them like its own."""

from http import HTTPStatus
from typing import TypedDict

from sidecar.core.outcomes import outcome_of
from sidecar.errors import SidecarError


class ErrorItem(TypedDict):
    message: str
    extensions: dict[str, object]


class ErrorBody(TypedDict):
    errors: list[ErrorItem]


def error_body(error: SidecarError) -> ErrorBody:
    """Write the error; a 503 has a `reason` beside its code, which alone does not say whose fault it is."""
    unavailable = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    reason: dict[str, object] = {"reason": outcome_of(type(error))} if unavailable else {}
    return {"errors": [{"message": error.message, "extensions": {**reason, **error.extensions, "code": error.code}}]}
