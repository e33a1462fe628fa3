"""The stand-in for Stripe as a separate process."""

import json
import re
import time

from deploy.demo.processes import Server
from tests.doubles.shop import Account


async def test_every_request_is_a_line(process: Server, account: Account) -> None:
    """When a request is answered, even with a refusal, its JSON line is already in the output."""
    await account.ask("POST", "customers", "email=line@example.com&nonsense=1")

    line = json.loads(process.log.read_text(encoding="utf-8").splitlines()[-1])

    assert (line["method"], line["target"]) == ("POST", "/v1/customers")
    assert line["body"] == "email=line%40example.com&nonsense=1"
    assert line["headers"]["authorization"] == account.headers["Authorization"]


async def test_times_are_real(account: Account) -> None:
    """A created object has the time of its creation, by the clock."""
    before = int(time.time())

    created = (await account.post("customers"))["created"]

    assert before <= created <= time.time()


async def test_ids_look_like_stripes(account: Account) -> None:
    """IDs and client secrets are as long as Stripe's, and no two are the same."""
    made = [await account.post("payment_intents", "amount=500&currency=eur") for _ in range(2)]

    for payment in made:
        assert re.fullmatch(r"pi_[A-Za-z0-9]{24}", payment["id"])
        assert re.fullmatch(rf"{payment['id']}_secret_[A-Za-z0-9]{{25}}", payment["client_secret"])
    assert len({payment["id"] for payment in made}) == 2


async def test_hosted_session_has_no_secret(account: Account) -> None:
    """A session with its page at Stripe has no `client_secret` (docs.stripe.com/api/checkout/sessions/object)."""
    form = "mode=setup&currency=eur&success_url=https://app.example.com/"

    session = await account.post("checkout/sessions", form)

    assert session["client_secret"] is None
