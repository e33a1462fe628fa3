"""Whether Directus reads sessions from the cookie of SESSION_COOKIE_NAME, which nobody has to log in to see.

Directus refuses a request whose session cookie contains no token of its own, and takes no notice of other cookies.
"""

from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp

from sidecar.clients.directus.client import fresh
from sidecar.clients.directus.server_info import PATH
from sidecar.commands.check_reach import ask_openly
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings

_UNKNOWN = "no-session-a-question-of-the-sidecar"


async def cookie_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """Say nothing where Directus stops answering."""
    name = settings.session_cookie_name
    usual = str(type(settings).model_fields["session_cookie_name"].default)
    try:
        if await _reads(settings, session, name):
            yield Line(Word.OK, f"Directus reads sessions from the cookie {name}")
            return
        reads_usual = name != usual and await _reads(settings, session, usual)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return
    mend = (
        f"but from {usual}: take SESSION_COOKIE_NAME away here"
        if reads_usual
        else "so no visitor is recognized by it: set SESSION_COOKIE_NAME here as there, and let proxies pass cookies on"
    )
    yield Line(Word.FAULT, f"Directus does not read sessions from the cookie {name}, {mend}")


async def _reads(settings: Settings, session: aiohttp.ClientSession, name: str) -> bool:
    answer = await ask_openly(session, settings.directus_url + fresh(PATH), Cookie=f"{name}={_UNKNOWN}")
    return answer.status == HTTPStatus.UNAUTHORIZED
