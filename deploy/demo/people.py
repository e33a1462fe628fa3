"""The demo's users, the customers collection with its items, and their customers at Stripe."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from deploy.demo.admin import DirectusAdmin, Person, Rule
from deploy.demo.progress import Fault
from deploy.demo.purchases import Payment, Purchases, buy, offer

COLLECTION = "customers"
SHOWN = ("id", "name", "email", "stripe_customer_id")
_OWN = {"owner": {"_eq": "$CURRENT_USER"}}

RULES = {
    "clerk": [Rule(COLLECTION, "read"), Rule(COLLECTION, "create"), Rule(COLLECTION, "update")],
    "reader": [Rule(COLLECTION, "read", SHOWN)],
    "member": [Rule(COLLECTION, "read", SHOWN, item=_OWN)],
    "guest": [],
}
ABOUT = {
    "administrator": "Sees and changes everything",
    "clerk": "Sees and creates all customers",
    "reader": "Sees some fields of all customers",
    "member": "Sees some fields of its own",
    "guest": "Sees nothing",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """One item of the collection; `owner` is the user whose own customer it is."""

    name: str
    phone: str
    owner: str | None = None
    purchases: Purchases = field(default_factory=Purchases)

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@example.com"


CUSTOMERS = (
    Customer(
        "Ada Lovelace",
        "+44 20 7946 0018",
        "member",
        Purchases((Payment(3250, "Poster, A2", refunded=3250),), plan="paid"),
    ),
    Customer(
        "Grace Hopper",
        "+1 202 555 0109",
        purchases=Purchases(
            (
                Payment(12900, "Workshop ticket"),
                Payment(25000, "Room for two days", refunded=12500),
                Payment(990, "Postcards", "declined"),
            ),
            plan="trial",
        ),
    ),
    Customer(
        "Alan Turing",
        "+44 20 7946 0042",
        purchases=Purchases(
            (
                Payment(300, "Sticker", "not tried"),
                Payment(7700, "Print, A3", currency="gbp"),
                Payment(15000, "Deposit for a projector", "held"),
            )
        ),
    ),
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


def write_logins(state: Path, people: Iterable[Person]) -> Path:
    """Write the file by which the page signs people in with one click."""
    known = [
        {"name": person.name, "email": person.email, "password": person.password, "about": ABOUT[person.name]}
        for person in people
    ]
    path = state / "people.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(known), encoding="utf-8")
    return path


async def add_customers(directus: DirectusAdmin, stripe: str, key: str, people: dict[str, Person]) -> dict[str, str]:
    """Create CUSTOMERS at Stripe and in Directus; give their Stripe IDs by name."""
    try:
        async with aiohttp.ClientSession(stripe, headers={"Authorization": f"Bearer {key}"}) as session:
            price = await offer(session)
            ids = [await _at_stripe(session, customer, price) for customer in CUSTOMERS]
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


async def _at_stripe(session: aiohttp.ClientSession, customer: Customer, price: str) -> str:
    who = {"name": customer.name, "email": customer.email, "phone": customer.phone}
    async with session.post("/v1/customers", data=who, raise_for_status=True) as answer:
        stripe_id: str = (await answer.json())["id"]
    await buy(session, stripe_id, customer.purchases, price)
    return stripe_id
