"""Whether the connected account of STRIPE_ACCOUNT exists, is the key's to act on, and what it is called."""

from collections.abc import Mapping

from sidecar.clients.stripe.client import StripeClient
from sidecar.commands.lines import Line, Word
from sidecar.core.plain_text import has_unseen
from sidecar.errors import StripeFailure, StripeKeyRejected

_PATH = "/v1/accounts"
_LONGEST = 100  # characters of a name that is shown


async def account_line(client: StripeClient, account: str) -> Line:
    """Ask as the account itself (docs.stripe.com/connect/authentication); a restricted key may lack the right to it."""
    try:
        found = await client.retrieve(_PATH, account)
    except StripeKeyRejected:
        return await _unseen(client, account)
    except StripeFailure as failure:
        return Line(Word.FAULT, f"Stripe says nothing about {account} ({failure.detail or failure.code})")
    return Line(Word.OK, f"every call is made on the connected account {account}{_name(found)}")


async def _unseen(client: StripeClient, account: str) -> Line:
    try:
        await client.probe()
    except StripeKeyRejected:
        return Line(
            Word.FAULT,
            f"the key may not act on {account}, or there is no such account: name a connected account of the key's "
            "platform in STRIPE_ACCOUNT, or mend the key in STRIPE_LIVE_SECRET_KEY",
        )
    except StripeFailure as failure:
        return Line(Word.FAULT, f"Stripe says nothing about {account} ({failure.detail or failure.code})")
    return Line(Word.NOTE, f"every call is made on the connected account {account}, whose name the key may not read")


def _name(account: Mapping[str, object]) -> str:
    """Give the name that Stripe's dashboard shows, or the business's (docs.stripe.com/api/accounts/object)."""
    match account:
        case {"settings": {"dashboard": {"display_name": str(name)}}} if name:
            return f', called "{_shown(name)}"'
        case {"business_profile": {"name": str(name)}} if name:
            return f', called "{_shown(name)}"'
        case _:
            return ", which has no name"


def _shown(name: str) -> str:
    """Shorten a name that somebody else chose, and keep it on one line."""
    return (ascii(name)[1:-1] if has_unseen(name) else name)[:_LONGEST]
