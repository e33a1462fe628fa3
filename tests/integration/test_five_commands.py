"""README's five commands, word for word, on a Directus of somebody's own; then its proxy and its first calls."""

import asyncio
import json
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from deploy.demo import children, servers
from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.processes import Server, environment, free_port, running
from deploy.stripe_stand_in import KEY
from tests.documents.pages import FRONT, ROOT, block_after
from tests.integration.frontends.browser import Browser

ADMIN = Person("administrator", "admin@example.com", "an-administrators-password", "an-administrators-token")
COMMANDS = [line.partition(" #")[0].strip() for line in block_after(FRONT, "five-commands").splitlines()]
FILLED_IN = ("DIRECTUS_URL", "STRIPE_CUSTOMERS_COLLECTION", "STRIPE_LIVE_SECRET_KEY")
CLIENTS: dict[str, Any] = {
    "collection": "clients",
    "schema": {},
    "meta": {},
    "fields": [
        {
            "field": "id",
            "type": "uuid",
            "schema": {"is_primary_key": True},
            "meta": {"special": ["uuid"]},
        },
        {"field": "name", "type": "string"},
        {"field": "email", "type": "string"},
        {"field": "owner", "type": "uuid"},
    ],
}
DIRECTUS = {
    "ADMIN_EMAIL": ADMIN.email,
    "ADMIN_PASSWORD": ADMIN.password,
    "ADMIN_TOKEN": ADMIN.token,
    "SECRET": "a-secret-of-the-tests-of-32-bytes",
    "IP_TRUST_PROXY": "true",
    "HASH_MEMORY_COST": "1024",  # hashes are cheap, and logins not delayed
    "HASH_TIME_COST": "2",
    "LOGIN_STALL_TIME": "0",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """A checkout with its `.env`, and what runs beside it. `surroundings` is what no user sets: ports and Stripe."""

    folder: Path
    directus: str
    stripe: str
    port: int
    admin: DirectusAdmin

    @property
    def surroundings(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "SIDECAR_PORT": str(self.port),
            "STRIPE_API_BASE": self.stripe,
        }

    def fill_in(self, values: Mapping[str, str]) -> None:
        text = (self.folder / ".env").read_text()
        for name, value in values.items():
            text, found = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert found == 1, name
        (self.folder / ".env").write_text(text)

    async def run(self, command: str) -> str:
        """Run one command in the checkout as a shell does; give what it prints."""
        process = await children.spawn(
            ["sh", "-c", command],
            cwd=self.folder,
            env=environment(self.surroundings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, out.decode()
        return out.decode()


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[Server]:
    """Run the last command, and the proxy that README shows before it; give the proxy."""
    nginx_port = free_port()
    location = block_after(FRONT, "proxy").replace("127.0.0.1:8080", f"127.0.0.1:{shop.port}")
    directus = f"location / {{ proxy_pass {shop.directus}; proxy_set_header Host $http_host; }}"
    http = f"access_log off; server {{ listen 127.0.0.1:{nginx_port}; {directus} {location} }}"
    async with AsyncExitStack() as exits:
        command, *arguments = shlex.split(COMMANDS[-1])
        program: list[str | Path] = [shop.folder / "bin" / command, *arguments]
        log = shop.folder / "sidecar.log"
        sidecar = running(program, port=shop.port, log=log, cwd=shop.folder, settings=shop.surroundings)
        await exits.enter_async_context(sidecar)
        nginx = servers.nginx_with(http, shop.folder / "nginx", port=nginx_port, log=shop.folder / "nginx.log")
        yield await exits.enter_async_context(nginx)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A fresh Directus with a collection `clients`, and a checkout in which all commands but the last were run."""
    state = tmp_path_factory.mktemp("shop")
    folder = checkout(state)
    async with (
        servers.directus(state / "directus", port=free_port(), settings=DIRECTUS) as directus,
        servers.emulator(state, port=free_port()) as stripe,
    ):
        opened = Shop(folder, directus.url, stripe.url, free_port(), DirectusAdmin(directus.url, ADMIN.token))
        await opened.admin.request("POST", "/collections", CLIENTS)
        await follow(opened)
        yield opened


def checkout(state: Path) -> Path:
    """Make the folder, with what `pip install` makes of the package's entry point; test_install.py runs that."""
    folder = state / "checkout"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(ROOT / ".env.example", folder)
    script = folder / "bin" / "directus-stripe-sidecar"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m sidecar "$@"\n')
    script.chmod(0o755)
    return folder


async def follow(shop: Shop) -> None:
    """Run the commands between the first and the last."""
    _install, copy, provision, check, _serve = COMMANDS
    await shop.run(copy)
    shop.fill_in(dict(zip(FILLED_IN, (shop.directus, "clients", KEY), strict=True)))
    # `--yes` where it asks, since nobody is there to answer
    printed = await shop.run(f"{provision.replace('…', ADMIN.token)} --yes")
    shop.fill_in(dict(re.findall(r"^(DIRECTUS_SERVICE_TOKEN|SIDECAR_SECRET)=(.+)$", printed, re.MULTILINE)))
    shop.fill_in(dict(re.findall(r"^(\w+)=(.+)$", block_after(FRONT, "proxy-trusted"), re.MULTILINE)))
    found = await shop.run(check)
    assert "fault" not in {line.split(" ")[0] for line in found.splitlines()}, found


async def test_the_five_commands(shop: Shop, browser: Browser) -> None:
    """After README's commands and proxy, a clerk's page creates and lists customers, with the SDK and with fetch."""
    clerk = await shop.admin.person(
        "clerk", [await shop.admin.policy("clerks", [Rule("clients", "read"), Rule("clients", "create")])]
    )

    async with serving(shop) as proxy:
        by_sdk = await browser.run(proxy.url, clerk, block_after(FRONT, "first-call-sdk"), "created", "customers")
        by_fetch = await browser.run(
            proxy.url, clerk, block_after(FRONT, "first-call-fetch"), "errors", "created", "payments"
        )

    assert (by_sdk["created"]["email"], by_sdk["created"]["name"]) == ("ada@example.com", "Ada")
    assert by_sdk["created"]["id"] in {each["id"] for each in by_sdk["customers"]}
    assert (by_fetch.get("errors"), by_fetch["created"]["email"]) == (None, "grace@example.com")
    assert by_fetch["payments"]["object"] == "list"


async def test_the_portal(shop: Shop, browser: Browser) -> None:
    """With README's permission and file a member sees its own payments and is led to its own portal."""
    relation = {"collection": "clients", "field": "owner", "related_collection": "directus_users"}
    await shop.admin.request("POST", "/relations", relation)
    given = json.loads(block_after(FRONT, "portal-permission"))
    policy = await shop.admin.policy("members")
    await shop.admin.request("POST", "/permissions", {"policy": policy, **given})
    member = await shop.admin.person("member", [policy])
    (shop.folder / "operations.toml").write_text(block_after(FRONT, "portal-operations"))
    mine, others = [await customer(shop, email) for email in ("mine@example.com", "others@example.com")]
    row = {"stripe_customer_id": mine["customer"], "name": "Ada", "owner": member.id}
    await shop.admin.request("POST", "/items/clients", [row, {"stripe_customer_id": others["customer"]}])
    address = f"http://127.0.0.1:{free_port()}"
    shop.fill_in({"STRIPE_OPERATIONS": "operations.toml", "ALLOWED_RETURN_URLS": f"{address}/account"})

    async with serving(shop) as proxy:
        seen = await browser.run(proxy.url, member, block_after(FRONT, "portal-page"), "payments", origin=address)

    assert [payment["id"] for payment in seen["payments"]] == [mine["id"]]
    assert seen["location"].startswith("https://")


async def customer(shop: Shop, email: str) -> dict[str, Any]:
    """Create a customer with one payment at the stand-in; give the payment."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(shop.stripe, headers=headers, raise_for_status=True) as session:
        async with session.post("/v1/customers", data={"email": email}) as answer:
            made = await answer.json()
        payment = {"amount": "1200", "currency": "eur", "customer": made["id"]}
        async with session.post("/v1/payment_intents", data=payment) as answer:
            paid: dict[str, Any] = await answer.json()
            return paid
