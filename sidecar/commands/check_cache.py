"""Whether anything answers from a cache: Directus itself, or a proxy or CDN between it and the sidecar."""

import re
from collections.abc import AsyncIterator

import aiohttp

from sidecar.clients.directus.client import fresh, is_export
from sidecar.clients.directus.server_info import PATH
from sidecar.commands.check_reach import Answer, ask_openly
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings

_RANDOM = "/utils/random/string"  # Directus answers it with another text each time, and stores none
_KEPT = re.compile(r"max-age=([1-9][0-9]*)")
_OUTDATED = "a permission that was taken away would go on working, and an ID just written would be missing"


async def cache_lines(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """Ask without a token, so that no answer is anybody's; says nothing where Directus stops answering."""

    async def ask(path: str) -> Answer:
        return await ask_openly(session, settings.directus_url + path)

    try:
        open_info, own_info = await ask(PATH), await ask(fresh(PATH))
        texts = [(await ask(fresh(_RANDOM))).body for _ in range(2)]
    except (aiohttp.ClientError, TimeoutError, OSError):
        return
    yield _own_line(own_info, texts)
    if (kept := _KEPT.search(open_info.headers.get("Cache-Control", ""))) is not None:
        yield Line(
            Word.NOTE,
            f"Directus keeps its answers for {kept[1]} s, whatever changes (CACHE_ENABLED without CACHE_AUTO_PURGE): "
            "the sidecar reads past them, but front ends that read items from Directus see them as they were; set "
            "CACHE_AUTO_PURGE=true",
        )


def _own_line(info: Answer, texts: list[object]) -> Line:
    """Judge answers to questions in the form that the service gives to each of its own."""
    if isinstance(texts[0], dict) and "data" in texts[0] and texts[0] == texts[1]:
        return Line(
            Word.FAULT,
            f"something between here and Directus answers from a cache, and by the path alone: {_OUTDATED}; exclude "
            "Directus's API from that cache, or set DIRECTUS_URL to Directus's own address",
        )
    if not is_export(info.status, info.headers) and _KEPT.search(info.headers.get("Cache-Control", "")):
        return Line(
            Word.FAULT,
            f"Directus, or what is before it, keeps answers to the sidecar: {_OUTDATED}; set CACHE_AUTO_PURGE=true or "
            "CACHE_ENABLED=false in Directus, and let nothing else cache its API",
        )
    return Line(Word.OK, "no answer to the sidecar comes from a cache")
