"""The questions that `check` asks Directus. Most of them need the service token."""

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import replace
from http import HTTPStatus

import aiohttp

from sidecar import opening
from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.server_info import PATH, ServerInfo
from sidecar.commands.check_address import BELIEF, TRUST, address_line, believes, proxy_in_front
from sidecar.commands.check_cache import cache_lines
from sidecar.commands.check_collection import (
    id_field_line,
    key_line,
    missing_field_line,
    missing_line,
    shown_fields,
    singleton_line,
)
from sidecar.commands.check_cookie import cookie_lines
from sidecar.commands.check_events import event_lines
from sidecar.commands.check_feed import feed_lines
from sidecar.commands.check_fields import Ask, field_lines
from sidecar.commands.check_guests import guest_lines
from sidecar.commands.check_items import item_lines
from sidecar.commands.check_map import map_lines
from sidecar.commands.check_nodes import node_lines
from sidecar.commands.check_policies import policy_lines
from sidecar.commands.check_reach import open_info, reach
from sidecar.commands.check_rights import is_provisioned, right_lines
from sidecar.commands.check_server import license_lines, limit_lines, version_line
from sidecar.commands.check_status_fields import type_lines, writer_lines
from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import policies_path, seen_policies
from sidecar.core.access.credentials import Credential
from sidecar.core.access.known_addresses import NOBODYS_ADDRESS
from sidecar.core.access.permissions import Action, Permissions
from sidecar.errors import DirectusUnavailable
from sidecar.settings import Settings


async def directus_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """Stop at the first finding that makes the others meaningless."""
    first, headers = await reach(settings, session)
    yield first
    if first.word is Word.FAULT:
        return
    service = opening.service_credential(settings)
    if service is None:
        info = await open_info(settings, session)
        for line in _open_lines(settings, info):
            yield line
        if not info.too_old:
            async for line in _anybodys_lines(settings, session):
                yield line
    else:
        client, proxy = opening.directus_client(settings, session), proxy_in_front(settings.directus_url, headers)
        try:
            async for line in _service_lines(
                settings,
                lambda path, address: client.request(replace(service, address=address), "GET", path),
                _rows_lines(settings, client, service),
                _anybodys_lines(settings, session),
                proxy,
            ):
                yield line
        except DirectusUnavailable as error:
            yield Line(Word.FAULT, f"Directus stopped answering ({error.detail}): look at its log")
            return
    async for line in node_lines(settings, session):
        yield line


async def _anybodys_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """Say what shows to anybody, who has no token."""
    async for line in cache_lines(settings, session):
        yield line
    async for line in cookie_lines(settings, session):
        yield line


async def _rows_lines(settings: Settings, client: DirectusClient, service: Credential) -> AsyncIterator[Line]:
    """Say what the rows tell that the service reads: those of the collection, and those of policies."""
    async for line in item_lines(settings, client, service):
        yield line
    async for line in guest_lines(settings, client, service):
        yield line


def _open_lines(settings: Settings, info: ServerInfo) -> Iterator[Line]:
    """Say what shows without a service token."""
    yield version_line(info)
    if not info.too_old:
        yield from license_lines(info)
        yield from _unseen_lines(settings)


def _unseen_lines(settings: Settings) -> Iterator[Line]:
    where = f"{settings.stripe_customers_collection}.{settings.stripe_customer_id_field}"
    yield Line(Word.NOTE, f"{where} cannot be looked at without DIRECTUS_SERVICE_TOKEN; `provision` makes both")
    yield Line(
        Word.NOTE,
        "without it callers with an item rule in one policy get their own items only, even where another policy gives "
        "them all",
    )
    counted = "otherwise its rate limiter, if it has one, counts all callers as one"
    yield Line(Word.NOTE, f"{BELIEF} cannot be seen without it either; {TRUST}; {counted}")
    if settings.stripe_operations is not None:
        yield Line(Word.NOTE, "nor can it be seen whether the collections that STRIPE_OPERATIONS names exist")
    if settings.stripe_write_back:
        yield Line(Word.NOTE, f"IDs are written back as the caller, who must be allowed to read and update {where}")


async def _service_lines(
    settings: Settings, ask: Ask, rows: AsyncIterator[Line], anybodys: AsyncIterator[Line], proxy: str | None
) -> AsyncIterator[Line]:
    """Raises DirectusUnavailable."""
    info = ServerInfo.from_directus((await ask(PATH, None)).data)
    answer = await ask("/permissions/me", None)
    if answer.status != HTTPStatus.OK or not isinstance(answer.data, dict):
        code = answer.code or f"status {answer.status}"
        yield Line(Word.FAULT, f"Directus refuses DIRECTUS_SERVICE_TOKEN ({code}): set a valid one")
        return
    yield version_line(info)
    if info.too_old:
        return
    for line in license_lines(info):
        yield line
    permissions = Permissions.from_directus(answer.data, answer.data)
    shown = await shown_fields(settings, permissions, ask)
    fault = await _collection_fault(settings, permissions, ask, shown)
    if fault is not None:
        yield fault
        return
    async for line in _collection_lines(settings, permissions, ask, rows, shown):
        yield line
    async for line in anybodys:
        yield line
    async for line in _connection_lines(settings, ask, permissions, info, proxy):
        yield line


async def _collection_fault(
    settings: Settings, permissions: Permissions, ask: Ask, shown: Collection[str]
) -> Line | None:
    """Give the fault that makes other findings about the collection meaningless, and their advice wrong."""
    collection = settings.stripe_customers_collection
    if not permissions.grant(collection, Action.READ).usable:
        return missing_line(collection, permissions)
    return await singleton_line(settings, ask) or await missing_field_line(settings, ask, shown)


async def _collection_lines(
    settings: Settings, permissions: Permissions, ask: Ask, rows: AsyncIterator[Line], shown: Collection[str]
) -> AsyncIterator[Line]:
    yield await id_field_line(settings, ask)
    yield await key_line(settings, ask, shown)
    async for line in rows:
        yield line
    for line in right_lines(settings, permissions):
        yield line
    async for line in field_lines(settings, permissions, ask):
        yield line
    async for line in event_lines(settings, permissions, ask):
        yield line
    async for line in type_lines(settings, ask):
        yield line
    policies = seen_policies(settings, await ask(policies_path(settings), None))
    read = permissions.grant(settings.stripe_customers_collection, Action.READ)
    mapped = map_lines(settings, read, shown, policies)
    for line in (*mapped, *policy_lines(settings, policies), *writer_lines(settings, policies)):
        yield line


async def _connection_lines(
    settings: Settings, ask: Ask, permissions: Permissions, info: ServerInfo, proxy: str | None
) -> AsyncIterator[Line]:
    """Judge what reaches the two sides: changes of Directus, and addresses of callers."""
    if settings.directus_realtime:
        async for line in feed_lines(settings, permissions, info):
            yield line
    as_nobody = (await ask("/permissions/me", NOBODYS_ADDRESS)).data
    believed = believes(settings, as_nobody, provisioned=is_provisioned(settings, permissions))
    yield address_line(settings, believed=believed, proxy=proxy)
    for line in limit_lines(info, believed=believed):
        yield line
