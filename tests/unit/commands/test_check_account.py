"""What `check` says of the connected account in STRIPE_ACCOUNT."""

import pytest
from pydantic import SecretStr

from sidecar.clients.http import open_session
from sidecar.commands.check_stripe import stripe_lines
from sidecar.commands.lines import Line, Word
from sidecar.settings import Settings
from tests.doubles import faults
from tests.doubles.stripe import StripeDouble

ACCOUNT = "acct_1Bakery"


async def lines(stripe: StripeDouble, account: str | None = ACCOUNT) -> list[Line]:
    settings = Settings(
        directus_url="http://127.0.0.1:1",
        stripe_live_secret_key=SecretStr(stripe.key),
        stripe_customers_collection="customers",
        stripe_api_base=stripe.url,
        stripe_account=account,
    )
    async with open_session(total=5, connect=1, connections=1) as session:
        return [line async for line in stripe_lines(settings, session) if "STRIPE_API_BASE" not in line.text]


@pytest.mark.parametrize(
    ("name", "said"), [("Bakery", 'called "Bakery"'), ("A\nB", r'called "A\nB"'), ("", "which has no name")]
)
async def test_what_it_is_called(stripe: StripeDouble, name: str, said: str) -> None:
    """An account that the key may act on is named, on one line; the other questions are asked about it too."""
    stripe.connected, stripe.name = ACCOUNT, name

    first, *others = await lines(stripe)

    assert (first.word, ACCOUNT in first.text, said in first.text) == (Word.OK, True, True)
    assert {line.word for line in others} == {Word.OK}
    assert {tuple(request.values("Stripe-Account")) for request in stripe.requests} == {(ACCOUNT,)}


async def test_an_account_of_nobody(stripe: StripeDouble) -> None:
    """An account that is not there, or not the platform's, is one fault; nothing else is asked."""
    stripe.connected = "acct_1Another"

    [line] = await lines(stripe)

    assert line.word is Word.FAULT
    assert f"may not act on {ACCOUNT}" in line.text


async def test_a_restricted_key(stripe: StripeDouble) -> None:
    """A key that may act on the account and not read it is a note."""
    stripe.connected = ACCOUNT
    stripe.fail(faults.answer(403, "{}"), when=lambda request: request.path.startswith("/v1/accounts"))

    first, *others = await lines(stripe)

    assert first.word is Word.NOTE
    assert {line.word for line in others} == {Word.OK}


async def test_stripe_is_away(stripe: StripeDouble) -> None:
    """Without an answer there is nothing to say but that."""
    stripe.fail(faults.answer(503, "{}"))

    [line] = await lines(stripe)

    assert line.word is Word.FAULT
