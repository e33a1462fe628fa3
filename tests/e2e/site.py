"""The demo's page with its own sidecar and nginx: Stripe is a double, and requests to Directus can be made to fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import servers
from deploy.demo.admin import Person
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack, page_url
from tests.doubles.proxy import Proxy, proxy_for
from tests.doubles.stripe import StripeDouble
from tests.integration.asking import served

CREATED = "14 Nov 2023"  # the day of the double's objects, as the page writes it in British English


@dataclass(frozen=True, slots=True)
class Site:
    """`proxy` has no slash at the end. Stripe's customers have the IDs that the items in Directus name."""

    stack: Stack
    proxy: str
    directus: Proxy
    stripe: StripeDouble

    @property
    def url(self) -> str:
        return page_url(self.proxy)

    @property
    def people(self) -> dict[str, Person]:
        return dict(self.stack.people)

    def customer(self, name: str) -> str:
        """Give the Stripe ID of one of the demo's customers."""
        return self.stack.customers[name]

    def add_demo_customers(self) -> None:
        """Create the demo's customers in the empty account, each with two payments."""
        for number, (name, customer) in enumerate(self.stack.customers.items()):
            first = name.split()[0]
            email, phone = f"{first.lower()}@example.com", f"+44 20 7946 000{number}"
            self.stripe.add_customer(id=customer, name=name, email=email, phone=phone)
            paid = {"customer": customer, "currency": "eur", "description": f"For {first}"}
            self.stripe.add_payment(amount=1200 + number, status="succeeded", **paid)
            self.stripe.add_payment(amount=4900 + number, status="requires_payment_method", **paid)


@asynccontextmanager
async def without(stack: Stack, who: str, action: str) -> AsyncIterator[None]:
    """Take a permission on the customers away from somebody while the block runs, as an administrator would."""
    filters = f"filter[policy][name][_eq]={who}&filter[collection][_eq]=customers&filter[action][_eq]={action}"
    [found] = await stack.admin.request("GET", f"/permissions?{filters}")
    await stack.admin.request("DELETE", f"/permissions/{found['id']}")
    try:
        yield
    finally:
        await stack.admin.request("POST", "/permissions", {key: found[key] for key in found if key != "id"})


@asynccontextmanager
async def open_site(stack: Stack, state: Path, **settings: str) -> AsyncIterator[Site]:
    """Open a site that remembers no permission, reads lists page by page, and waits at most 10 s for Stripe."""
    async with StripeDouble.running() as stripe, proxy_for(stack.directus.url) as directus:
        port = free_port()
        own = {
            "DIRECTUS_URL": directus.url,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_LIVE_SECRET_KEY": stripe.key,
            "ALLOWED_RETURN_URLS": page_url(f"http://127.0.0.1:{port}"),
            "STRIPE_LIST_CONCURRENCY": "1",
            "STRIPE_TIMEOUT": "10",
            "PERMISSIONS_CACHE_TTL": "0.001",
            "PERMISSIONS_DENIED_TTL": "0.001",
        }
        async with (
            served({**stack.settings, **own, **settings}) as sidecar,
            servers.nginx(state, port=port, directus=directus.url, sidecar=sidecar) as nginx,
        ):
            yield Site(stack, nginx.url, directus, stripe)
