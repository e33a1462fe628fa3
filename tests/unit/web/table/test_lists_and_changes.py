"""A list and a change made while it is fetched: the caller sees its change in any list requested afterwards."""

import json

import pytest

from tests.doubles.faults import Late
from tests.doubles.server import Recorded
from tests.doubles.waiting import eventually
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import MANAGER

JSON = [("Content-Type", "application/json")]
NEW_NAME = "Ada Lovelace"
CHANGES: dict[str, tuple[str, dict[str, object]]] = {
    "created": ("/stripe/customers", {"email": "ada@example.com", "name": NEW_NAME}),
    "changed": ("/stripe/customers/cus_OWN", {"name": NEW_NAME}),
}


def is_list(request: Recorded) -> bool:
    return request.path == "/v1/customers" and "limit=100" in request.target


@pytest.mark.parametrize("write_back", ["false", "true"])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_list_begun_before_a_change_is_not_joined_after_it(
    open_shop: OpenShop, change: str, write_back: str
) -> None:
    """A list that is requested after the answer to a change contains the change, however slow an earlier list is."""
    shop = await open_shop(STRIPE_WRITE_BACK=write_back)
    target, body = CHANGES[change]
    late = Late()
    shop.stripe.fail(late, when=is_list, times=1)
    earlier = shop.start(MANAGER, "/stripe/customers")
    await eventually(lambda: late.arrived)

    changed = await shop.call(MANAGER, target, method="POST", headers=JSON, body=json.dumps(body).encode())
    later = shop.start(MANAGER, "/stripe/customers")
    await eventually(later.done)
    late.release()

    assert changed.status in {200, 201}
    assert NEW_NAME in {entry["name"] for entry in (await later).json()}
    assert NEW_NAME not in {entry["name"] for entry in (await earlier).json()}
