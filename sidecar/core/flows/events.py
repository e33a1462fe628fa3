"""Stripe's events, which are only a reason to look. Verifies no signature and stores nothing.

Events come late, twice and out of order (docs.stripe.com/webhooks, "Event ordering", "Handle duplicate events"), so
only the customer's ID is read from them. `follow_customer` asks Stripe for that customer's state.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sidecar.core.operations.resources import is_customer_id
from sidecar.errors import InvalidPayload

UPDATED, DELETED = "customer.updated", "customer.deleted"
FOLLOWED = (UPDATED, DELETED)

_ID = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
_TYPE = re.compile(r"[a-z0-9_.]{1,100}")


class Result(StrEnum):
    """The end of an event. REFUSED: it was not Stripe's, or unreadable. FAILED: Stripe has to send it again.

    DUPLICATE: this very delivery came before.
    """

    DONE = "done"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Event:
    """`customer` is set for the types that are followed; `account` is the ID of a connected account.

    `signed` is the Unix time at which Stripe signed this delivery. Stripe signs each delivery anew, also one that
    somebody asked for by hand (docs.stripe.com/webhooks, "Prevent replay attacks").
    """

    id: str
    type: str
    livemode: bool
    account: str | None = None
    customer: str | None = None
    signed: int = 0

    @property
    def delivery(self) -> tuple[str, int]:
        return self.id, self.signed


class Webhooks(Protocol):
    def verify(self, body: bytes, signatures: Sequence[str]) -> Event:
        """Give the event; `signatures` has the values of its `Stripe-Signature`. Asks nobody.

        Raises InvalidPayload for a body that is not Stripe's event.
        """

    async def handle(self, event: Event) -> None:
        """Do everything that a verified event asks for. Raises EventFailed where Stripe has to send it again."""


def parse_event(body: object) -> Event:
    """Read a verified body (docs.stripe.com/api/events/object). Raises InvalidPayload."""
    match body:
        case {"object": "event", "id": str(identity), "type": str(kind), "livemode": bool(livemode)} if _ID.fullmatch(
            identity
        ) and _TYPE.fullmatch(kind):
            return Event(identity, kind, livemode, _account(body), _customer(body) if kind in FOLLOWED else None)
        case _:
            raise _unreadable()


def foreign(event: Event, *, livemode: bool, own_account: str | None = None) -> str | None:
    """Say why an event is foreign, None where it is ours. `livemode` is the key's: each mode has its own customers.

    `own_account` is the connected account that Stripe is asked about, None where that is the key's own account.
    """
    if event.account != own_account:
        return "another account's"
    if event.livemode is not livemode:
        return "another mode than the key's"
    return None


def _account(body: object) -> str | None:
    match body:
        case {"account": str(account)}:
            return account
        case {"account": value} if value is not None:
            raise _unreadable()
        case _:
            return None


def _customer(body: object) -> str:
    match body:
        case {"data": {"object": {"object": "customer", "id": str(customer)}}} if is_customer_id(customer):
            return customer
        case _:
            raise _unreadable()


def _unreadable() -> InvalidPayload:
    return InvalidPayload("This is not an event as Stripe's API describes it.")
