"""Claims of a project that keeps Stripe's customer IDs on its users."""

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.integration.asking import ask, verdict
from tests.matrix.claims import Claim, Findings
from tests.matrix.customers import ID
from tests.matrix.features import commands, customers_of, feed
from tests.matrix.whole import Whole, whole

_USERS = "directus_users"
_MYSELF = {"id": {"_eq": "$CURRENT_USER"}}


async def users(stack: Stack) -> Findings:
    async with whole(stack, STRIPE_CUSTOMERS_COLLECTION=_USERS) as rig:
        for claims in (commands(rig), _people(rig), feed(rig)):
            async for claim in claims:
                yield claim


async def _people(rig: Whole) -> Findings:
    clerk = await rig.person("desk", Rule(_USERS, "read"), Rule(_USERS, "create"), Rule(_USERS, "update"))
    own = Rule(_USERS, "read", ("id", "email", ID), _MYSELF)
    member, other = [await rig.person(name, own) for name in ("one", "two")]
    ids = []
    for person in (member, other):
        made = await ask(rig.url, "/stripe/customers", clerk.token, new={"email": person.email, "item": person.id})
        yield Claim(f"{person.name}: a user gets its customer", 201, made.status)
        ids.append(made.json().get("id"))
        yield Claim(f"{person.name}: the user has its ID", ids[-1], (await rig.item(person.id))[ID])
    seen = await customers_of(rig, clerk.token)
    yield Claim("a clerk sees every user's customer", set(ids), set(ids) & set(seen))
    staff = await rig.person("staff", Rule(_USERS, "read"), Rule(_USERS, "update"))
    await _uses_the_app(rig.stack, staff)
    seen = await customers_of(rig, staff.token)
    yield Claim("staff that uses the app sees every user's customer", set(ids), set(ids) & set(seen))
    yield Claim("a member sees its own", ids[:1], await customers_of(rig, member.token))
    foreign = await ask(rig.url, f"/stripe/payments/{ids[1]}", member.token)
    yield Claim("another's is refused", (401, "FORBIDDEN"), verdict(foreign))
    guest = await ask(rig.url, "/stripe/payments", (await rig.person("nothing")).token)
    yield Claim("who may read no user is refused", (401, "FORBIDDEN"), verdict(guest))


async def _uses_the_app(stack: Stack, person: Person) -> None:
    """Give the person's role access to the app, whose own item rule makes Directus call all of its reading partial."""
    body = {"name": "app", "app_access": True, "admin_access": False}
    policy = (await stack.admin.request("POST", "/policies", body))["id"]
    await stack.admin.request("POST", "/access", {"policy": policy, "role": person.role})
