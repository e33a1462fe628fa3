"""Several replicas of the sidecar behind an nginx of their own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from deploy.demo import servers
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack


@asynccontextmanager
async def replicas_of(stack: Stack, state: Path, number: int, /, **settings: str) -> AsyncIterator[Stack]:
    """Give the stack with so many sidecars and the shipped nginx, whose files are in `state`."""
    async with AsyncExitStack() as exits:
        sidecars = [await exits.enter_async_context(stack.sidecar(**settings)) for _ in range(number)]
        first, *others = [sidecar.url for sidecar in sidecars]
        directus = stack.directus.url
        proxy = servers.nginx(state, port=free_port(), directus=directus, sidecar=first, replicas=others)
        started = await exits.enter_async_context(proxy)
        yield replace(stack, main_sidecar=sidecars[0], replicas=sidecars, proxy=started)
