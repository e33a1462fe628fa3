"""The hierarchy of errors is the one in its docstring."""

import inspect
import re

import pytest

from sidecar import errors
from sidecar.errors import CredentialRefused, DirectusUnavailable, ItemRefused, PermissionDenied, SidecarError

DRAWN = re.findall(r"^( +[│├└─ ]*)([A-Z]\w+)(?: +(\d{3}) ([A-Z_]{4,})\b)?", inspect.getdoc(errors) or "", re.MULTILINE)


def below(kind: type) -> set[type]:
    return {kind}.union(*map(below, kind.__subclasses__()))


def own() -> dict[str, type[SidecarError]]:
    kinds = {kind.__name__: kind for kind in below(SidecarError) if kind.__module__ == errors.__name__}
    return dict(sorted(kinds.items()))


def test_every_error_is_drawn() -> None:
    """The picture in the module's docstring shows every class and no other."""
    assert sorted(name for _, name, _, _ in DRAWN) == sorted(own())


def test_the_picture_shows_base_classes() -> None:
    """A class is drawn one step to the right of its base class."""
    path: list[str] = []
    for indent, name, _, _ in DRAWN:
        depth = len(indent.replace("    ", "│   ")) // 4 - 1
        path = [*path[:depth], name]
        parent = own()[name].__base__
        assert depth == 0 or (parent is not None and path[depth - 1] == parent.__name__), name


@pytest.mark.parametrize(
    ("name", "status", "code"), [(name, status, code) for _, name, status, code in DRAWN if status]
)
def test_status_and_code_are_as_drawn(name: str, status: str, code: str) -> None:
    """The status and code next to a class are those of its responses."""
    kind = own()[name]

    assert (kind.status, kind.code) == (int(status), code)


@pytest.mark.parametrize("kind", own().values(), ids=own())
def test_every_error_has_a_status_to_answer_with(kind: type[SidecarError]) -> None:
    """A refusal is never a 5xx, and an upstream's failure never a 401 or 403."""
    if issubclass(kind, errors.Refused | errors.RequestError):
        assert 400 <= kind.status < 500
    else:
        assert kind.status == 429 or 500 <= kind.status <= 504


def test_errors_that_repeat_directus() -> None:
    """Errors that repeat a refusal of Directus keep Directus's status and code."""
    refused = ItemRefused("m", status=404, code="NOT_FOUND")

    assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert (CredentialRefused("TOKEN_EXPIRED").status, CredentialRefused("TOKEN_EXPIRED").code) == (
        401,
        "TOKEN_EXPIRED",
    )
    assert PermissionDenied("m", reason="no_access", status=403).status == 403


def test_extensions_belong_to_one_error() -> None:
    """An addition to one error's extensions is not in another error's, nor in the mapping that both came from."""
    given: dict[str, object] = {"a": 1}
    first, second = SidecarError("m", extensions=given), SidecarError("m")

    first.extensions["b"] = 2

    assert (given, second.extensions) == ({"a": 1}, {})


def test_detail_is_not_the_message() -> None:
    """S3: A detail that only the log may have is not in the outgoing message."""
    error = DirectusUnavailable("10.0.0.9 refused", retry_after=3)

    assert "10.0.0.9" not in str(error)
    assert (error.detail, error.retry_after) == ("10.0.0.9 refused", 3)
