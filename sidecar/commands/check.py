"""``check``: ask Directus and Stripe whether they agree with the settings. Changes nothing.

It uses the service's own clients with their timeouts, so it sees what the service will see.
"""

import asyncio
import logging
from collections.abc import Iterator

from sidecar import opening
from sidecar.commands.check_directus import directus_lines
from sidecar.commands.check_project import project_lines
from sidecar.commands.check_stripe import stripe_lines
from sidecar.commands.lines import Line, Word, show
from sidecar.settings import Settings, load


def run() -> int:
    """Give the exit code. Raises SettingsFault."""
    settings = load(Settings)
    logging.disable()  # the printed lines say what the clients would log
    return show(asyncio.run(_lines(settings)))


async def _lines(settings: Settings) -> list[Line]:
    async with opening.directus_session(settings) as directus, opening.stripe_session(settings) as stripe:
        lines = [line async for line in directus_lines(settings, directus)]
        lines += [line async for line in stripe_lines(settings, stripe)]
        lines += [line async for line in project_lines(settings, directus, stripe)]
    return [*lines, *_proxy_lines(settings)]


def _proxy_lines(settings: Settings) -> Iterator[Line]:
    if not settings.trusted_proxies:
        yield Line(
            Word.NOTE,
            "TRUSTED_PROXIES is empty: if there is a proxy in front, name its address, or all callers seem to have it",
        )
    elif any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield Line(
            Word.FAULT,
            "TRUSTED_PROXIES believes everybody, so any caller can claim any address: name your proxies alone",
        )
