"""Claims of what the service does beyond the main job, the same for each Directus that stores item rules."""

import asyncio
import sys

from deploy.demo import children
from deploy.demo.admin import DirectusAdmin, Rule
from deploy.demo.processes import environment
from deploy.demo.stack import Stack
from tests.doubles.events import event, headers
from tests.doubles.wire import Answer, exchange, request_bytes
from tests.integration.asking import ask, unmarked, verdict
from tests.integration.commands import ROOT, run
from tests.matrix.claims import Claim, Findings, felt
from tests.matrix.customers import ID
from tests.matrix.whole import Whole, provision, whole

_DONE = {"unchanged", "note"}


async def features(stack: Stack) -> Findings:
    """Claim everything, one after the other, on one sidecar with everything on."""
    async with whole(stack) as rig:
        for claims in (commands(rig), own_rows(rig), write_back(rig), events(rig), feed(rig)):
            async for claim in claims:
                yield claim


async def commands(rig: Whole) -> Findings:
    again = await provision(rig.stack, rig.settings)
    yield Claim("provision changes nothing the second time", set(), {word for word, _ in again.lines} - _DONE)
    checked = await run("check", **rig.settings)
    yield Claim("check finds no fault", (0, ""), (checked.code, checked.texts("FAULT") + checked.err))


async def own_rows(rig: Whole) -> Findings:
    """The demo's member owns Ada Lovelace's item alone."""
    stack, token = rig.stack, rig.stack.people["member"].token
    own, foreign, *_ = stack.customers.values()
    before = len(stack.stripe_requests())
    refused, unknown = [await ask(rig.url, f"/stripe/payments/{one}", token) for one in (foreign, "cus_None")]
    yield Claim("a foreign customer is refused", (401, "FORBIDDEN"), verdict(refused))
    yield Claim("an unknown customer gets the same answer", unmarked(refused), unmarked(unknown))
    yield Claim("Stripe is asked for neither", before, len(stack.stripe_requests()))
    [item] = await stack.admin.request("GET", f"{rig.items}?filter[{ID}][_eq]={own}&fields=id,owner")
    await rig.change(item["id"], owner=None)
    yield Claim("a row that is taken away is gone at the next request", [], await customers_of(rig, token))
    await rig.change(item["id"], owner=item["owner"])
    yield Claim("and is back when it is given back", [own], await customers_of(rig, token))
    person = await rig.person("writer-of-ids", *_own(("id", ID)), Rule(rig.collection, "update", (ID,)))
    reason = (await ask(rig.url, "/stripe/payments", person.token)).extensions.get("reason")
    yield Claim("who has own rows and may write the ID is refused", "id_field_writable", reason)


async def write_back(rig: Whole) -> Findings:
    """Callers here may not write the ID field, so the service token does."""
    rules = [Rule(rig.collection, "create", ("name", "email")), Rule(rig.collection, "update", ("email",))]
    clerk = await rig.person("desk", Rule(rig.collection, "read", ("id", "name", "email", ID)), *rules)
    new = {"email": "edith@example.com", "name": "Edith Clarke"}
    made = await ask(rig.url, "/stripe/customers", clerk.token, new=new)
    yield Claim("a customer is created with its item", 201, made.status)
    customer = made.json()["id"]
    found = await rig.stack.admin.request("GET", f"{rig.items}?filter[{ID}][_eq]={customer}&fields=id,email")
    yield Claim("its ID is written into that item", ["edith@example.com"], [row["email"] for row in found])
    item = found[0]["id"]
    again = await ask(rig.url, "/stripe/customers", clerk.token, new={**new, "item": item})
    yield Claim("the same item gets no second customer", (200, customer), (again.status, again.json().get("id")))
    await rig.change(item, **{ID: None})
    ended = await _reconcile(rig)
    yield Claim("reconcile writes an ID that was lost", (0, customer), (ended, (await rig.item(item))[ID]))


async def events(rig: Whole) -> Findings:
    customer = await rig.at_stripe("POST", "/customers", name="Mary Ross", email="mary@example.com")
    posted = await rig.stack.admin.request("POST", rig.items, {"name": "Mary", ID: customer["id"]})
    changed = await rig.at_stripe("POST", f"/customers/{customer['id']}", name="Mary G. Ross")
    answer = await _event(rig, event("customer.updated", changed))
    yield Claim("an event of Stripe's is accepted", 200, answer.status)
    yield Claim("a change at Stripe reaches the item", "Mary G. Ross", (await rig.item(posted["id"]))["name"])
    deleted = await rig.at_stripe("DELETE", f"/customers/{customer['id']}")
    await _event(rig, event("customer.deleted", deleted))
    yield Claim("the ID of a deleted customer leaves the item", None, (await rig.item(posted["id"]))[ID])


async def feed(rig: Whole, *, told: DirectusAdmin | None = None, name: str = "leaver") -> Findings:
    """Claim that a permission that is taken away is felt; `told` is the Directus that is told so."""
    person = await rig.person(name, Rule(rig.collection, "read"))
    yield await felt(f"{name}: a right is felt", lambda: _answers(rig, person.token, 200))
    admin = told or rig.stack.admin
    [permission] = await admin.request("GET", f"/permissions?filter[policy][name][_eq]={name}&fields=id")
    await admin.request("DELETE", f"/permissions/{permission['id']}")
    yield await felt(f"{name}: a right that is taken away is refused", lambda: _answers(rig, person.token, 401))


def _own(fields: tuple[str, ...]) -> list[Rule]:
    return [Rule("customers", "read", fields, {"owner": {"_eq": "$CURRENT_USER"}})]


async def customers_of(rig: Whole, token: str) -> list[str]:
    answer = await ask(rig.url, "/stripe/customers", token)
    return [customer["id"] for customer in answer.json()] if answer.status == 200 else [str(verdict(answer))]


async def _answers(rig: Whole, token: str, status: int) -> bool:
    return (await ask(rig.url, "/stripe/payments?limit=1", token)).status == status


async def _event(rig: Whole, body: bytes) -> Answer:
    port = int(rig.url.rpartition(":")[2])
    return await exchange(port, request_bytes("POST", "/stripe/webhooks", headers(body), body))


async def _reconcile(rig: Whole) -> int:
    command = [sys.executable, "-m", "sidecar", "reconcile"]
    env = environment({"PYTHONPATH": str(ROOT), **rig.settings})
    process = await children.spawn(command, env=env, stdout=asyncio.subprocess.DEVNULL)
    return await process.wait()
