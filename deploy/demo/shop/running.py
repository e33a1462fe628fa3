"""`running_shop()` starts the shop's servers in front of a Directus that runs already."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from deploy.demo import servers
from deploy.demo.pages import DESK, Page
from deploy.demo.processes import free_port
from deploy.demo.shop import magazine
from deploy.demo.stack import Stack
from deploy.stripe_stand_in import KEY, PUBLISHABLE_KEY

_HERE = Path(__file__).parent
_PLACE = "/shop"
_PRICE = {"unit_amount": "700", "currency": "eur", "recurring[interval]": "month", "nickname": "Reader"}


@dataclass(frozen=True, slots=True)
class Shop:
    """`proxy` is the shop's own nginx, without a slash at the end."""

    proxy: str
    stripe_url: str

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"{self.proxy}{_PLACE}/"


@asynccontextmanager
async def running_shop(stack: Stack) -> AsyncIterator[Shop]:
    """Furnish the stack's Directus for the shop, and start the other servers. A stack takes one shop, once.

    Raises Fault if a program does not start.
    """
    state, directus, port = stack.state / "shop", stack.directus.url, free_port()
    state.mkdir()
    webhook = f"http://127.0.0.1:{port}/stripe/webhooks", f"whsec_{secrets.token_hex(16)}"
    async with AsyncExitStack() as exits:
        start = exits.enter_async_context
        stripe = (await start(servers.emulator(state, port=free_port(), webhook=webhook))).url
        await magazine.open_window(
            stack.admin, {"stripe_js": f"{stripe}/stripe.js", "publishable_key": PUBLISHABLE_KEY}
        )
        settings = _settings(directus, stripe, webhook[1])
        token = stack.people["administrator"].token
        settings |= await servers.provision(state, token=token, settings=settings)
        await magazine.publish(stack.admin)
        sidecar = await start(servers.sidecar(state, port=free_port(), settings=settings))
        pages = (DESK, Page(_PLACE, _HERE / "page", stripe))
        nginx = servers.nginx(state, port=port, directus=directus, sidecar=sidecar.url, pages=pages)
        proxy = await start(nginx)
        await _price(stripe)
        yield Shop(proxy.url, stripe)


def _settings(directus: str, stripe: str, signing_secret: str) -> dict[str, str]:
    return {
        "DIRECTUS_URL": directus,
        "STRIPE_API_BASE": stripe,
        "STRIPE_LIVE_SECRET_KEY": KEY,
        "STRIPE_CUSTOMERS_COLLECTION": magazine.MEMBERS,
        "STRIPE_FIELD_MAP": json.dumps(magazine.FIELD_MAP),
        "STRIPE_OPERATIONS": str(_HERE / "operations.toml"),
        "STRIPE_WRITE_BACK": "true",
        "STRIPE_WEBHOOK_SECRET": signing_secret,
        "STRIPE_EXPOSE_CLIENT_SECRET": "true",
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOGOUT_SECRET": servers.LOGOUT_SECRET,
    }


async def _price(stripe: str) -> None:
    """Make what is sold: a subscription by the month."""
    async with aiohttp.ClientSession(stripe, headers={"Authorization": f"Bearer {KEY}"}) as session:
        product = await _made(session, "/v1/products", {"name": "Engine Notes"})
        await _made(session, "/v1/prices", {**_PRICE, "product": product["id"]})


async def _made(session: aiohttp.ClientSession, path: str, values: Mapping[str, str]) -> dict[str, Any]:
    async with session.post(path, data=values, raise_for_status=True) as answer:
        made: dict[str, Any] = await answer.json()
        return made
