"""Claims of a Directus 12 without a license: what works there works, and what it leaves out is said to need one.

It stores neither item rules nor field lists (`RESOURCE_RESTRICTED`), so there is no service policy: no feed, no events
of Stripe's, no `reconcile`, and nobody with partial access.
"""

from collections.abc import Mapping
from pathlib import Path

from deploy.demo.admin import DirectusError, Rule
from deploy.demo.expectations import EXPECTED
from deploy.demo.stack import Stack, running_stack
from tests.integration.asking import ask
from tests.integration.commands import Ended, run
from tests.matrix import customers
from tests.matrix.claims import Claim, Findings
from tests.matrix.customers import ID
from tests.matrix.main_job import main_job, version_of

_TOLD_BY = "licen"  # license, licence, unlicensed, …
_PEOPLE = [who for who in EXPECTED if who != "member"]  # whose own rows need an item rule


async def unlicensed(state: Path, lock: Path, cheap: Mapping[str, str]) -> Findings:
    running = running_stack(state, lock=lock, directus_settings=cheap, prepare=customers.whole, licensed=False)
    async with running as stack:
        yield await version_of(stack)
        for claims in (main_job(stack, people=_PEOPLE), _write_back(stack), _left_out(stack)):
            async for claim in claims:
                yield claim


async def _write_back(stack: Stack) -> Findings:
    clerk, new = stack.people["clerk"], {"email": "edith@example.com", "name": "Edith Clarke"}
    async with stack.sidecar(STRIPE_WRITE_BACK="true") as server:
        made = await ask(server.url, "/stripe/customers", clerk.token, new=new)
        yield Claim("a customer is created with its item, as the caller", 201, made.status)
        customer = made.json().get("id")
        found = await stack.admin.request("GET", f"/items/customers?filter[{ID}][_eq]={customer}&fields=id,email")
        yield Claim("its ID is written into that item", ["edith@example.com"], [row["email"] for row in found])


async def _left_out(stack: Stack) -> Findings:
    own = Rule("customers", "read", ("*",), {"owner": {"_eq": "$CURRENT_USER"}})
    for what, rule in {"an item rule": own, "a field list": Rule("customers", "read", ("id",))}.items():
        yield Claim(f"Directus does not store {what}", "RESOURCE_RESTRICTED", await _refusal(stack, rule))
    admin = {"DIRECTUS_ADMIN_TOKEN": stack.people["administrator"].token}
    yield _names_the_license("provision", await run("provision", "--yes", **stack.settings, **admin))
    yield _names_the_license("check", await run("check", **stack.settings))


async def _refusal(stack: Stack, rule: Rule) -> str:
    try:
        await stack.admin.policy("restricted", [rule])
    except DirectusError as error:
        return error.code
    return "stored"


def _names_the_license(command: str, ended: Ended) -> Claim:
    said = ended.out + ended.err
    return Claim(f"{command} names the license", expected=True, seen=True if _TOLD_BY in said.lower() else said)
