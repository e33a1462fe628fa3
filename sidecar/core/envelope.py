"""Errors in Directus's shape, so that `@directus/sdk` reads them like its own."""

from typing import TypedDict

from sidecar.errors import SidecarError


class ErrorItem(TypedDict):
    message: str
    extensions: dict[str, object]


class ErrorBody(TypedDict):
    errors: list[ErrorItem]


def error_body(error: SidecarError) -> ErrorBody:
    return {"errors": [{"message": error.message, "extensions": {**error.extensions, "code": error.code}}]}
