"""The questions that `check` asks without a token: whether Directus answers, and what it tells anybody of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import aiohttp
import orjson

from sidecar.clients.directus.server_info import NO_LISTS, ServerInfo, parse_version, read_info
from sidecar.clients.http import read_bounded
from sidecar.commands.check_url import reach_fault, url_fault
from sidecar.commands.lines import Line, Word
from sidecar.errors import DirectusUnavailable
from sidecar.settings import Settings

_ANSWER_LIMIT = 4 * 1024 * 1024  # the description of a large project's public collections


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object
    headers: Mapping[str, str]


async def reach(settings: Settings, session: aiohttp.ClientSession) -> tuple[Line, Mapping[str, str]]:
    """Say whether Directus answers, and give the headers of its answer.

    Directus 11 introduced policies, so from then on there is a route /policies, whether it may be read or not.
    """
    url = settings.directus_url
    try:
        answer = await ask_openly(session, f"{url}/policies?limit=1")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Line(Word.FAULT, await reach_fault(url, error, lambda other: ask_openly(session, other))), {}
    fault = url_fault(url, answer.status, answer.headers)
    return _judged(settings, answer) if fault is None else Line(Word.FAULT, fault), answer.headers


def _judged(settings: Settings, answer: Answer) -> Line:
    match answer.status, answer.body:
        case ((HTTPStatus.OK | HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN), {"data": _} | {"errors": _}):
            return Line(Word.OK, f"Directus answers at {settings.directus_url}")
        case HTTPStatus.NOT_FOUND, {"errors": _}:
            return Line(
                Word.FAULT,
                "Directus is older than version 11: update it; or DIRECTUS_URL has a path that is not Directus's own",
            )
        case HTTPStatus.BAD_REQUEST, {"errors": [{"extensions": {"code": "INVALID_QUERY"}}, *_]}:
            return Line(Word.FAULT, NO_LISTS)
        case status, _:
            return Line(Word.FAULT, f"what answers is no working Directus (status {status}): is DIRECTUS_URL right?")


async def open_info(settings: Settings, session: aiohttp.ClientSession) -> ServerInfo:
    """Read what Directus tells nobody in particular.

    From version 12 on that is its license; early versions of 11 tell their number in the description of their API.
    """
    try:
        info = await read_info(session, settings.directus_url)
        if info.version is not None or info.tells_license:
            return info
        described = await ask_openly(session, f"{settings.directus_url}/server/specs/oas")
    except (aiohttp.ClientError, TimeoutError, OSError, DirectusUnavailable):
        return ServerInfo()
    match described.body:
        case {"info": {"version": str(version)}}:
            return replace(info, version=parse_version(version))
        case _:
            return info


async def ask_openly(session: aiohttp.ClientSession, url: str, **headers: str) -> Answer:
    """Ask without a token. Raises what aiohttp raises."""
    async with session.get(url, allow_redirects=False, headers=headers) as response:
        return Answer(response.status, _parsed(await read_bounded(response, _ANSWER_LIMIT)), response.headers)


def _parsed(content: bytes) -> object:
    try:
        return orjson.loads(content)
    except ValueError:
        return None
