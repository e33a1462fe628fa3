"""``check``: ask Directus, Stripe and Redis whether they agree with the settings. Changes nothing.

It uses the service's own clients with their timeouts, so it sees what the service will see.
"""

import asyncio
import logging

from sidecar import opening
from sidecar.commands.check_customers import customer_lines
from sidecar.commands.check_directus import directus_lines
from sidecar.commands.check_project import project_lines
from sidecar.commands.check_proxies import proxy_lines
from sidecar.commands.check_redis import redis_lines
from sidecar.commands.check_stripe import stripe_lines
from sidecar.commands.lines import Line, Word, show
from sidecar.settings import Settings, load, unread


def run() -> int:
    """Give the exit code. Raises SettingsFault."""
    settings = load(Settings)
    logging.disable()  # the printed lines say what the clients would log
    return show(asyncio.run(_lines(settings)))


async def _lines(settings: Settings) -> list[Line]:
    async with opening.directus_session(settings) as directus, opening.stripe_session(settings) as stripe:
        lines = [line async for line in directus_lines(settings, directus)]
        reached = lines[0].word is not Word.FAULT
        lines += [line async for line in stripe_lines(settings, stripe)]
        if reached:
            lines += [line async for line in project_lines(settings, directus, stripe)]
            lines += [line async for line in customer_lines(settings, directus, stripe)]
    lines += [line async for line in redis_lines(settings)]
    others = [Line(Word.NOTE, sentence) for sentence in unread()]
    return [*others, *lines, *proxy_lines(settings.trusted_proxies)]
