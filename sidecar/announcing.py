"""The line that the service logs at its start: what it is, where it listens, what is on, and what is off and why."""

import asyncio
import logging
from collections.abc import Iterator

from sidecar import __version__, opening
from sidecar.clients.directus.server_info import OLDEST, ServerInfo, dotted, read_info
from sidecar.errors import DirectusUnavailable
from sidecar.settings import Settings

_log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds; the line does not wait longer for Directus


async def announce(settings: Settings, host: str, port: int) -> None:
    """Log the line once Directus has answered, or without its answer, and what is wrong with this Directus."""
    info = await _known(settings)
    _log.info("started", extra=start_line(settings, host, port, info))
    if info is not None:
        _warn(info)


def start_line(settings: Settings, host: str, port: int, info: ServerInfo | None) -> dict[str, object]:
    """Give the line's members. `info` is None where Directus did not answer."""
    kind = "restricted" if settings.stripe_live_secret_key.get_secret_value().startswith("rk_") else "secret"
    return {
        "version": __version__,
        "address": f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.sidecar_prefix}",
        "directus": settings.directus_url,
        "directus_reachable": info is not None,
        "directus_version": _version(info, asked_by_token=settings.directus_service_token is not None),
        "collection": settings.stripe_customers_collection,
        "key": f"{kind} key, {'live mode, real money' if settings.livemode else 'test mode'}",
        "account": settings.stripe_account or "the key's own",
        "operations": sorted(rule.operation.name for rule in settings.rules),
        "off": dict(_off(settings)),
    }


def _version(info: ServerInfo | None, *, asked_by_token: bool) -> str:
    if info is None:
        return "unknown, as it does not answer"
    if info.version is not None:
        return dotted(info.version)
    if info.tells_license:
        return "12 or newer"
    return "not told to this token; `check` says why" if asked_by_token else "not told without DIRECTUS_SERVICE_TOKEN"


def _off(settings: Settings) -> Iterator[tuple[str, str]]:
    """Name what is off, with the setting that turns it on."""
    switches = {
        "service token": ("DIRECTUS_SERVICE_TOKEN", settings.directus_service_token),
        "write-back": ("STRIPE_WRITE_BACK", settings.stripe_write_back),
        "events of Stripe": ("STRIPE_WEBHOOK_SECRET", settings.stripe_webhook_secret),
        "changes of Directus": ("DIRECTUS_REALTIME", settings.directus_realtime),
        "further operations": ("STRIPE_OPERATIONS", settings.stripe_operations),
        "Redis": ("REDIS", settings.redis),
        "read cache": ("STRIPE_READ_CACHE", settings.stripe_read_cache),
        "logout": ("LOGOUT_SECRET", settings.logout_secret),
        "foreign origins": ("ALLOWED_ORIGINS", settings.allowed_origins),
        "trusted proxies": ("TRUSTED_PROXIES", settings.trusted_proxies),
        "client secrets": ("STRIPE_EXPOSE_CLIENT_SECRET", settings.stripe_expose_client_secret),
        "shares": ("ALLOW_SHARES", settings.allow_shares != "none"),
    }
    for what, (name, value) in switches.items():
        if value is False:
            yield what, f"{name} is {'none' if name == 'ALLOW_SHARES' else 'false'}"
        elif value in {None, ()}:
            yield what, f"{name} is not set"


async def _known(settings: Settings) -> ServerInfo | None:
    service = opening.service_credential(settings)
    token = None if service is None else service.token
    try:
        async with asyncio.timeout(_PATIENCE), opening.directus_session(settings) as session:
            return await read_info(session, settings.directus_url, token)
    except (DirectusUnavailable, TimeoutError):
        return None


def _warn(info: ServerInfo) -> None:
    """Log what `check` would say of an old or unlicensed Directus."""
    if info.version is not None and info.too_old:
        versions = {"version": dotted(info.version), "oldest": dotted(OLDEST)}
        _log.warning("this version of Directus is not supported: update it", extra=versions)
    if info.unlicensed:
        _log.warning("Directus has no license: it gives nothing to callers with item rules or field lists")
