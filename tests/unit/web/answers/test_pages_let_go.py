"""What is left in memory of a page that was sent."""

import gc
from collections.abc import Iterator

import pytest

from sidecar.core.pages import Page
from tests.doubles.directus import User
from tests.doubles.running_app import CLERK, MEMBER, RunningApp


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Keep the collector of cycles away, so that only what is not referred to any more goes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def pages() -> int:
    return sum(isinstance(one, Page) for one in gc.get_objects())


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("user", [CLERK, MEMBER], ids=["clerk", "member"])
async def test_a_sent_page_is_gone(app: RunningApp, user: User) -> None:
    """F5: a page is let go when it was sent, without the collector of cycles, whose runs cost as much as a page."""
    app.stripe.add_customer(id="cus_OWN")
    app.stripe.add_payments(20, customer="cus_OWN")
    app.directus.add_row(owner=MEMBER.name, stripe_customer_id="cus_OWN")

    before = pages()

    for number in range(1, 11):
        await app.call(user, f"/stripe/payments?limit={number}")

    assert pages() - before <= 1
