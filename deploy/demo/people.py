"""The demo's users, the customers collection with its items, and their customers at Stripe."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp

from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.progress import Fault

COLLECTION = "customers"
SHOWN = ("id", "name", "email", "stripe_customer_id")
_OWN = {"owner": {"_eq": "$CURRENT_USER"}}

RULES = {
    "clerk": [Rule(COLLECTION, "read"), Rule(COLLECTION, "create"), Rule(COLLECTION, "update")],
    "reader": [Rule(COLLECTION, "read", SHOWN)],
    "member": [Rule(COLLECTION, "read", SHOWN, item=_OWN)],
    "guest": [],
}


@dataclass(frozen=True, slots=True)
class Customer:
    """One item of the collection; `amounts` are its payments, in cents."""

    name: str
    amounts: tuple[int, ...]
    owner: str | None = None

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@example.com"


CUSTOMERS = (
    Customer("Ada Lovelace", (1200, 4900), owner="member"),
    Customer("Grace Hopper", (990, 2500, 12900)),
    Customer("Alan Turing", (300, 7700)),
)


async def add_owner(directus: DirectusAdmin) -> None:
    """Add an owner field to the provisioned collection, as a project may have one; the sidecar does not need it."""
    await directus.request("POST", f"/fields/{COLLECTION}", {"field": "owner", "type": "uuid"})
    relation = {"collection": COLLECTION, "field": "owner", "related_collection": "directus_users"}
    await directus.request("POST", "/relations", relation)


def without_restrictions() -> dict[str, list[Rule]]:
    """Give RULES without item rules and field lists: a person with an item rule gets nothing instead."""
    return {
        name: [replace(rule, fields=("*",)) for rule in rules if rule.item is None] for name, rules in RULES.items()
    }


async def add_people(directus: DirectusAdmin, rules: Mapping[str, Sequence[Rule]]) -> dict[str, Person]:
    """Create a user for each name, each with its own policy and role."""
    return {name: await directus.person(name, [await directus.policy(name, own)]) for name, own in rules.items()}


async def add_customers(directus: DirectusAdmin, stripe: str, key: str, people: dict[str, Person]) -> dict[str, str]:
    """Create CUSTOMERS at Stripe and in Directus; give their Stripe IDs by name."""
    try:
        async with aiohttp.ClientSession(stripe, headers={"Authorization": f"Bearer {key}"}) as session:
            ids = await asyncio.gather(*(_at_stripe(session, customer) for customer in CUSTOMERS))
    except aiohttp.ClientError as error:
        raise Fault(f"Customers could not be created at {stripe}: {error}") from error
    items = [
        {
            "name": customer.name,
            "email": customer.email,
            "stripe_customer_id": stripe_id,
            "owner": people[customer.owner].id if customer.owner else None,
        }
        for customer, stripe_id in zip(CUSTOMERS, ids, strict=True)
    ]
    await directus.request("POST", f"/items/{COLLECTION}", items)
    return {customer.name: stripe_id for customer, stripe_id in zip(CUSTOMERS, ids, strict=True)}


async def _at_stripe(session: aiohttp.ClientSession, customer: Customer) -> str:
    who = {"name": customer.name, "email": customer.email}
    async with session.post("/v1/customers", data=who, raise_for_status=True) as answer:
        stripe_id: str = (await answer.json())["id"]
    for amount in customer.amounts:
        payment = {"amount": str(amount), "currency": "eur", "customer": stripe_id}
        async with session.post("/v1/payment_intents", data=payment, raise_for_status=True):
            pass
    return stripe_id
