"""Changes whose answer was lost on its way from Stripe, for people of a real Directus."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from deploy.demo.admin import Person, Rule
from deploy.demo.stack import Stack
from tests.doubles import faults
from tests.doubles.server import Recorded
from tests.doubles.stripe import StripeDouble
from tests.doubles.wire import Answer
from tests.integration.asking import ask, served
from tests.integration.conftest import Newcomer
from tests.integration.test_operations import EVERY_OPERATION

OWN = {"owner": {"_eq": "$CURRENT_USER"}}
FIELDS = ("id", "stripe_customer_id", "name", "owner")
OWNER = (Rule("customers", "read", FIELDS, item=OWN), Rule("customers", "update", ("name",), item=OWN))


def is_change(request: Recorded) -> bool:
    return request.method != "GET"


@dataclass(frozen=True, slots=True)
class Lossy:
    """A sidecar between Directus and a Stripe that can lose answers, and a person with one customer there."""

    url: str
    stripe: StripeDouble
    owner: Person
    customer: str
    log: Sequence[str]

    async def cancel(self, subscription: str, token: str) -> Answer:
        return await ask(self.url, f"/stripe/subscriptions/{subscription}", token, method="DELETE")

    @property
    def audited(self) -> list[tuple[object, ...]]:
        lines = [json.loads(line) for line in self.log]
        audit = [line for line in lines if line["logger"] == "sidecar.audit"]
        return [tuple(line[name] for name in ("operation", "object", "user", "new", "uncertain")) for line in audit]


@pytest.fixture
async def lossy(stack: Stack, newcomer: Newcomer, log_lines: list[str]) -> AsyncIterator[Lossy]:
    owner = await newcomer(*OWNER)
    async with StripeDouble.running() as stripe:
        customer = str(stripe.add_customer()["id"])
        new = {"name": "Own", "stripe_customer_id": customer, "owner": owner.id}
        item = (await stack.admin.request("POST", "/items/customers", new))["id"]
        here = {"STRIPE_API_BASE": stripe.url, "STRIPE_LIVE_SECRET_KEY": stripe.key}
        every = {"STRIPE_OPERATIONS": str(EVERY_OPERATION), "STRIPE_EXPOSE_CLIENT_SECRET": "true"}
        async with served({**stack.settings, **here, **every}) as url:
            yield Lossy(url, stripe, owner, customer, log_lines)
        await stack.admin.request("DELETE", f"/items/customers/{item}")


@pytest.mark.parametrize("fault", [faults.reset_after_work, faults.reset_mid_body, faults.bad_gateway_after_work])
async def test_a_cancel_whose_first_answer_is_lost(lossy: Lossy, fault: faults.Fault) -> None:
    """The owner reads that the subscription is canceled, Stripe canceled it once, and the audit has the change."""
    subscription = str(lossy.stripe.add("subscription", customer=lossy.customer, status="active")["id"])
    lossy.stripe.fail(fault, when=is_change, times=1)

    answer = await lossy.cancel(subscription, lossy.owner.token)

    assert (answer.status, answer.json()["id"], answer.json()["status"]) == (200, subscription, "canceled")
    assert len([request for request in lossy.stripe.requests if is_change(request)]) == 2
    assert lossy.audited == [("subscriptions.cancel", subscription, lossy.owner.id, True, None)]


async def test_a_client_that_lost_the_answer(lossy: Lossy) -> None:
    """A client that repeats its DELETE reads the same again, and the audit tells that it changed nothing more."""
    subscription = str(lossy.stripe.add("subscription", customer=lossy.customer, status="active")["id"])

    first, second = [await lossy.cancel(subscription, lossy.owner.token) for _ in range(2)]

    assert (first.status, second.status, first.json()) == (200, 200, second.json())
    assert [line[3] for line in lossy.audited] == [True, False]


async def test_all_answers_are_lost(lossy: Lossy) -> None:
    """Without any answer of Stripe's the owner reads a failure, and the audit that the change perhaps happened."""
    subscription = str(lossy.stripe.add("subscription", customer=lossy.customer, status="active")["id"])
    lossy.stripe.fail(faults.reset_after_work, when=is_change)

    answer = await lossy.cancel(subscription, lossy.owner.token)

    assert (answer.status, answer.code) == (502, "STRIPE_UNAVAILABLE")
    assert lossy.audited == [("subscriptions.cancel", subscription, lossy.owner.id, None, True)]


async def test_strangers_learn_nothing(lossy: Lossy) -> None:
    """A canceled subscription of another customer is refused like one that never existed, and nothing is audited."""
    foreign = lossy.stripe.add("subscription", customer=lossy.stripe.add_customer()["id"], status="canceled")

    answers = [await lossy.cancel(name, lossy.owner.token) for name in (str(foreign["id"]), "sub_NONE")]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "FORBIDDEN")] * 2
    assert answers[0].body == answers[1].body
    assert lossy.audited == []


async def test_what_never_existed(stack: Stack, lossy: Lossy) -> None:
    """An administrator reads Stripe's refusal of a subscription that never existed, also after a lost answer."""
    lossy.stripe.fail(faults.reset_after_work, when=is_change, times=1)

    answer = await lossy.cancel("sub_NONE", stack.people["administrator"].token)

    assert (answer.status, answer.extensions["stripe"]["code"]) == (404, "resource_missing")
    assert lossy.audited == []
