"""The questions that `check` asks Directus. Most of them need the service token."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from http import HTTPStatus

import aiohttp
import orjson

from sidecar import opening
from sidecar.clients.directus.client import DirectusAnswer
from sidecar.clients.http import read_bounded
from sidecar.commands.addresses import NOBODYS_ADDRESS
from sidecar.commands.check_collection import PROVISION, id_field_line, key_line, singleton_line
from sidecar.commands.check_feed import feed_lines
from sidecar.commands.check_fields import field_lines
from sidecar.commands.check_policies import policies_path, policy_lines
from sidecar.commands.check_rights import BELIEF, TRUST, address_line, excess, right_lines
from sidecar.commands.lines import Line, Word
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import DirectusUnavailable
from sidecar.settings import Settings

_Ask = Callable[[str, str | None], Awaitable[DirectusAnswer]]  # a path, and the client's address to claim
_ANSWER_LIMIT = 64 * 1024


async def directus_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """Stop at the first finding that makes the others meaningless."""
    first = await _version_line(settings, session)
    yield first
    if first.word is Word.FAULT:
        return
    service = opening.service_credential(settings)
    if service is None:
        for line in _unseen_lines(settings):
            yield line
        return
    client = opening.directus_client(settings, session)
    try:
        async for line in _service_lines(
            settings, lambda path, address: client.request(replace(service, address=address), "GET", path)
        ):
            yield line
    except DirectusUnavailable as error:
        yield Line(Word.FAULT, f"Directus stopped answering ({error.detail}): look at its log")


async def _version_line(settings: Settings, session: aiohttp.ClientSession) -> Line:
    """Directus 11 introduced policies, so from then on there is a route /policies, whether it may be read or not."""
    try:
        async with session.get(f"{settings.directus_url}/policies?limit=1", allow_redirects=False) as response:
            status, content = response.status, await read_bounded(response, _ANSWER_LIMIT)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Line(
            Word.FAULT, f"Directus cannot be reached ({type(error).__name__}): is it up, is DIRECTUS_URL right?"
        )
    match status, _parsed(content):
        case ((HTTPStatus.OK | HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN), {"data": _} | {"errors": _}):
            return Line(Word.OK, f"Directus answers at {settings.directus_url} and is version 11 or newer")
        case HTTPStatus.NOT_FOUND, {"errors": _}:
            return Line(Word.FAULT, "Directus is older than version 11: update it")
        case _:
            return Line(Word.FAULT, f"what answers is no working Directus (status {status}): is DIRECTUS_URL right?")


def _parsed(content: bytes) -> object:
    try:
        return orjson.loads(content)
    except ValueError:
        return None


def _unseen_lines(settings: Settings) -> Iterator[Line]:
    where = f"{settings.stripe_customers_collection}.{settings.stripe_customer_id_field}"
    yield Line(Word.NOTE, f"{where} cannot be looked at without DIRECTUS_SERVICE_TOKEN; `provision` makes both")
    yield Line(Word.NOTE, f"{BELIEF} cannot be seen without it either; {TRUST}")
    if settings.stripe_operations is not None:
        yield Line(Word.NOTE, "nor can it be seen whether the collections that STRIPE_OPERATIONS names exist")
    if settings.stripe_write_back:
        yield Line(Word.NOTE, f"IDs are written back as the caller, who must be allowed to read and update {where}")


async def _service_lines(settings: Settings, ask: _Ask) -> AsyncIterator[Line]:
    """Raises DirectusUnavailable."""
    answer = await ask("/permissions/me", None)
    if answer.status != HTTPStatus.OK or not isinstance(answer.data, dict):
        code = answer.code or f"status {answer.status}"
        yield Line(Word.FAULT, f"Directus refuses DIRECTUS_SERVICE_TOKEN ({code}): set a valid one")
        return
    permissions = Permissions.from_directus(answer.data, answer.data)
    collection = settings.stripe_customers_collection
    if not permissions.grant(collection, Action.READ).usable:
        yield Line(Word.FAULT, f"{collection} is not there, {PROVISION} STRIPE_CUSTOMERS_COLLECTION")
        return
    singleton = await singleton_line(settings, ask)
    if singleton is not None:
        yield singleton
        return
    yield await id_field_line(settings, ask)
    yield await key_line(settings, ask)
    for line in right_lines(settings, permissions):
        yield line
    async for line in field_lines(settings, permissions, ask):
        yield line
    for line in policy_lines(settings, await ask(policies_path(settings), None)):
        yield line
    if settings.directus_realtime:
        async for line in feed_lines(settings, permissions, (await ask("/server/info", None)).data):
            yield line
    as_nobody = await ask("/permissions/me", NOBODYS_ADDRESS)
    yield address_line(settings, as_nobody.data, provisioned=excess(settings, permissions) is None)
