"""Directus's API as an administrator uses it, through directus-sdk-py.

That library judges answers badly: it searches their text for "errors", expects certain statuses, and follows redirects.
So the library only sends requests, and this module judges every answer. What the library sends with, requests, would
take proxies and logins from the environment; here it takes none of them, since they would get the token. No read is
answered from a cache: Directus's own (CACHE_ENABLED) may be older than what an earlier run of `provision` made.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

from directus_sdk_py import DirectusClient

from sidecar.clients.directus.client import fresh, is_export
from sidecar.clients.directus.server_info import ServerInfo

Row = dict[str, Any]
_TIMEOUT = 30.0  # seconds; a change of the schema locks tables
_ABSENT = frozenset({"FORBIDDEN", "ROUTE_NOT_FOUND"})  # an administrator gets these only for what does not exist
_NOT_HIM = "Set DIRECTUS_ADMIN_TOKEN to an administrator's static token."
_MENDING = {
    "INVALID_CREDENTIALS": _NOT_HIM,
    "INVALID_TOKEN": _NOT_HIM,
    "TOKEN_EXPIRED": _NOT_HIM,
    "RESOURCE_RESTRICTED": "Its license does not allow that; item rules and field lists need one from Directus 12 on. "
    "Without it leave DIRECTUS_SERVICE_TOKEN away: IDs are then written as the caller.",
    "RECORD_NOT_UNIQUE": "Two items have the same value, and an empty text is one too: set it to null where there "
    "is no customer, then run this again.",
}


class AdministratorFault(Exception):
    """Directus did not do what it was asked for; the text says how to mend that."""


class _Response(Protocol):
    status_code: int
    content: bytes
    headers: Mapping[str, str]


class Administration(Protocol):
    """What preparing a Directus needs of it. All raise AdministratorFault."""

    def find(self, path: str) -> Row | None:
        """Read one row; None if it does not exist."""

    def rows(self, path: str, query: Mapping[str, object] | None = None) -> list[Row]:
        """Read all rows that match a Directus filter."""

    def create(self, path: str, row: Row) -> Row: ...

    def change(self, path: str, values: Row) -> None: ...


class Administrator:
    """`url` without a slash at the end."""

    def __init__(self, url: str, token: str) -> None:
        # The library calls urljoin, which keeps a path in `url` only if a slash ends it and no slash begins the other.
        self._client = DirectusClient(f"{url}/", token=token, verify=True)
        self._proxies = _none_for(url)

    def require_rights(self) -> None:
        """Raise AdministratorFault unless the token is an administrator's and Directus is version 11 or newer."""
        rights = self.find("policies/me/globals")
        if rights is None:
            raise AdministratorFault("What answers at DIRECTUS_URL is not Directus 11 or newer.")
        if rights.get("admin_access") is not True:
            raise AdministratorFault(f"Directus gives this token no administrator's rights. {_NOT_HIM}")

    def info(self) -> ServerInfo:
        return ServerInfo.from_directus(self.find("server/info"))

    def may_limit_permissions(self, info: ServerInfo) -> bool:
        """Whether Directus stores item rules and field lists: from version 12 on a license decides on that."""
        if not info.tells_license:
            return True
        entitlements = (self.find("license") or {}).get("entitlements")
        match entitlements.get("custom_permission_rules_enabled") if isinstance(entitlements, dict) else None:
            case {"override": bool(entitled)} | {"default": bool(entitled)}:
                return entitled
            case _:
                return not info.unlicensed

    def find(self, path: str) -> Row | None:
        """Read one row; None if it does not exist."""
        status, body = self._send(self._client.get, fresh(path))
        match body:
            case {"errors": [{"extensions": {"code": str(code)}}, *_]} if code in _ABSENT:
                return None
        row = _data(status, body, f"read {path}")
        return row if isinstance(row, dict) else None

    def rows(self, path: str, query: Mapping[str, object] | None = None) -> list[Row]:
        """Read all rows that match a Directus filter.

        With QUERY_LIMIT_MAX, -1 gives that many rows without a word, so the rows behind them are asked for until there
        are none. Some paths, such as /collections, have no pages and give the same rows again.
        """
        params = {"limit": "-1", **({"filter": json.dumps(query)} if query else {})}
        found: list[Row] = []
        while new := [row for row in self._page(path, {**params, "offset": str(len(found))}) if row not in found]:
            found += new
        return found

    def _page(self, path: str, params: Mapping[str, str]) -> list[Row]:
        rows = _data(*self._send(self._client.get, fresh(path), params=params), f"read {path}")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def create(self, path: str, row: Row) -> Row:
        created = _data(*self._send(self._client.post, path, json=row), f"create {path}")
        if not isinstance(created, dict):
            raise AdministratorFault(f"Directus created {path} but did not show the new row; run this again.")
        return created

    def change(self, path: str, values: Row) -> None:
        _data(*self._send(self._client.patch, path, json=values), f"change {path}")

    def _send(self, call: Callable[..., object], path: str, **more: object) -> tuple[int, object]:
        """Give status and parsed body. Raises AdministratorFault if no answer came."""
        answers: list[_Response] = []
        try:
            call(
                path,
                timeout=_TIMEOUT,
                allow_redirects=False,
                auth=lambda request: request,  # without this, requests sends a login from ~/.netrc instead
                proxies=dict(self._proxies),  # requests adds the environment's to the dictionary that it gets
                hooks={"response": lambda answer, **_: answers.append(answer)},
                **more,
            )
        except (AssertionError, LookupError, TypeError, ValueError):
            pass  # the library judged an answer that came; `_data` judges it anew
        except OSError as error:  # the base class of all errors of requests
            raise AdministratorFault(f"Directus could not be asked ({type(error).__name__}). Is it up?") from None
        if not answers:
            raise AdministratorFault("Directus could not be asked. Is DIRECTUS_URL right?")
        status, body = answers[-1].status_code, _parsed(answers[-1].content)
        return status, {"data": body} if is_export(status, answers[-1].headers) else body


def _none_for(url: str) -> dict[str, str]:
    """Give requests' two most exact keys for this address with no proxy, which count before any in the environment."""
    parts = urlsplit(url)
    return {f"{parts.scheme}://{parts.hostname}": "", parts.scheme: ""}


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _data(status: int, body: object, what: str) -> object:
    match body:
        case {"data": data} if status == HTTPStatus.OK:
            return data
        case None if status == HTTPStatus.NO_CONTENT:
            return None
        case {"errors": [{"message": str(message), "extensions": {"code": str(code)}}, *_]}:
            raise AdministratorFault(f"Directus did not {what} ({code}). {_MENDING.get(code, message)}")
        case _:
            raise AdministratorFault(f"Directus did not {what}: status {status}, with a body that is not Directus's.")
