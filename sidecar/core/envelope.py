"""An error as Directus writes it, so that `@directus/sdk` reads it as one of its own."""

from typing import TypedDict

from sidecar.errors import SidecarError


class ErrorItem(TypedDict):
    message: str
    extensions: dict[str, object]


class ErrorBody(TypedDict):
    errors: list[ErrorItem]


def error_body(error: SidecarError) -> ErrorBody:
    return {"errors": [{"message": error.message, "extensions": {**error.extensions, "code": error.code}}]}
