"""The customers of the last day, among which an earlier try may have created an item's."""

from collections.abc import Mapping

import pytest

from sidecar.clients.lists.account_customers import created_lately
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.urgency import Urgency
from sidecar.errors import StripeUnavailable
from tests.unit.core.flows.creations import Stripe

NOW = 1_800_000_000.9


class Account(Stripe):
    """An account with `count` customers, newest first."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.customers: list[StripeObject] = [{"id": f"cus_{number}"} for number in range(count, 0, -1)]
        self.questions: list[Mapping[str, str]] = []

    async def page(self, path: str, parameters: Mapping[str, str], **more: Urgency) -> Page:
        assert (path, more) == ("/v1/customers", {"urgency": Urgency.CALL})
        self.questions.append(parameters)
        after = parameters.get("starting_after")
        start = 0 if after is None else next(n for n, one in enumerate(self.customers, 1) if one["id"] == after)
        end = start + int(parameters["limit"])
        return Page(self.customers[start:end], more=end < len(self.customers))


async def test_all_of_a_day_and_an_hour() -> None:
    """Stripe keeps idempotency keys for at least 24 hours; with another hour for its clock, all pages are read."""
    account = Account(250)

    found = [customer["id"] async for customer in created_lately(account, clock=lambda: NOW)]

    assert found == [customer["id"] for customer in account.customers]
    assert {question["created[gte]"] for question in account.questions} == {str(int(NOW) - 25 * 3600)}
    assert len(account.questions) == 3


async def test_a_day_of_too_many() -> None:
    """A day that has more than one request can look through ends in an error, never in a part of it."""
    account = Account(20_001)

    with pytest.raises(StripeUnavailable, match="Try tomorrow"):
        [customer async for customer in created_lately(account, clock=lambda: NOW)]

    assert len(account.questions) <= 202
