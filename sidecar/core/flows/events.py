"""Stripe's events, which are only a reason to look. Verifies no signature and stores nothing.

Events come late, twice and out of order (docs.stripe.com/webhooks, "Event ordering", "Handle duplicate events"), so
only what an event is about is read from it; Stripe is asked for the state. Event destinations send two shapes
(docs.stripe.com/event-destinations): snapshots, which have the object as it was, and thin events, which refer to it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sidecar.core.operations.event_types import kind_of
from sidecar.core.operations.resources import CUSTOMER, RESOURCES, customer_of, is_customer_id
from sidecar.errors import InvalidPayload

UPDATED, DELETED = "customer.updated", "customer.deleted"
FOLLOWED = frozenset({UPDATED, DELETED})
PING = "v2.core.event_destination.ping"  # Stripe asks whether events arrive

_ID = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
_TYPE = re.compile(r"[a-z0-9_.]{1,100}")
_THIN_TYPE = re.compile(r"(?:v1\.|(?=v[2-9][0-9]*\.))([a-z0-9_.]{1,100})")


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
class ObjectReference:
    """An object that Stripe can be asked for: `kind` is one of RESOURCES, and `id` has the shape of its IDs."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Event:
    """`type` is the same for a snapshot and a thin event of API v1; a thin event writes `v1.` before it.

    `object` is what the event is about, None if that cannot be asked for. `customer` is the object's as far as the
    event tells it: a thin one tells it of a customer alone. `accounts` are the connected accounts that it names.
    `created` is a Unix time, None where the event has none.

    `signed` is the Unix time at which Stripe signed this delivery. Stripe signs each delivery anew, also one that
    somebody asked for by hand (docs.stripe.com/webhooks, "Prevent replay attacks").
    """

    id: str
    type: str
    livemode: bool
    accounts: frozenset[str] = frozenset()
    object: ObjectReference | None = None
    customer: str | None = None
    created: int | None = None
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


def parse_event(body: object, followed: Collection[str] = FOLLOWED) -> Event:
    """Read a verified body (docs.stripe.com/api/events/object, docs.stripe.com/api/v2/core/events/object).

    An event of a type in `followed` must name an object of that type's kind. Raises InvalidPayload.
    """
    match body:
        case {"object": "event", "type": str(written)} if _TYPE.fullmatch(written):
            data = _member(body, "data")
            about = _with_former_customer(_member(data, "object"), _member(data, "previous_attributes"))
            event = _event(body, written, about, kind="object")
        case {"object": "v2.core.event", "type": str(written)} if found := _THIN_TYPE.fullmatch(written):
            event = _event(body, found[1], _member(body, "related_object"), kind="type")
        case _:
            raise _unreadable()
    expected = kind_of(event.type)
    if event.type in followed and expected is not None and (event.object is None or event.object.kind != expected):
        raise _unreadable()
    return event


def foreign(event: Event, *, livemode: bool, own_account: str | None = None) -> str | None:
    """Say why an event is foreign, None where it is ours. `livemode` is the key's: each mode has its own customers.

    `own_account` is the connected account that Stripe is asked about, None where that is the key's own account.
    """
    if event.accounts != frozenset({own_account} if own_account is not None else ()):
        return "another account's"
    if event.livemode is not livemode:
        return "another mode than the key's"
    return None


async def object_named(event: Event) -> str | None:
    """Give the ID of the event's object, None where it names none."""
    return None if event.object is None else event.object.id


def _event(body: object, event_type: str, about: Mapping[str, object], *, kind: str) -> Event:
    """Read what both shapes write alike; `kind` is the name under which `about` tells its kind."""
    match body:
        case {"id": str(identity), "livemode": bool(livemode)} if _ID.fullmatch(identity):
            reference = _reference(about.get(kind), about.get("id"))
            return Event(
                identity,
                event_type,
                livemode,
                frozenset(_accounts(body)),
                reference,
                _customer(about, reference),
                _time(_value(body, "created")),
            )
        case _:
            raise _unreadable()


def _accounts(body: object) -> Iterator[str]:
    """Give the account of a snapshot, and the context that either shape may have: an account, or a path to one."""
    for name in (_value(body, "account"), _value(body, "context")):
        if isinstance(name, str):
            yield name
        elif name is not None:
            raise _unreadable()


def _time(written: object) -> int | None:
    """Read a Unix time, as snapshots write it, or a time of RFC 3339, as thin events do."""
    if isinstance(written, str):
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            return None
        return None if moment.tzinfo is None else int(moment.timestamp())
    return written if isinstance(written, int) and not isinstance(written, bool) else None


def _value(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _member(value: object, name: str) -> Mapping[str, object]:
    """Give a member that is an object, an empty one in place of anything else."""
    member = _value(value, name)
    return member if isinstance(member, dict) else {}


def _with_former_customer(about: Mapping[str, object], before: Mapping[str, object]) -> Mapping[str, object]:
    """A payment method that was taken from its customer names it no more (docs.stripe.com/api/events/types)."""
    return (
        {**about, "customer": before["customer"]} if about.get("customer") is None and "customer" in before else about
    )


def _reference(kind: object, identity: object) -> ObjectReference | None:
    resource = RESOURCES.get(kind) if isinstance(kind, str) else None
    if resource is None or not isinstance(identity, str) or not resource.is_id(identity):
        return None
    return ObjectReference(resource.kind, identity)


def _customer(about: Mapping[str, object], reference: ObjectReference | None) -> str | None:
    if reference is not None and reference.kind == CUSTOMER.kind:
        return reference.id
    customer = customer_of(about)
    return customer if is_customer_id(customer) else None


def _unreadable() -> InvalidPayload:
    return InvalidPayload("This is not an event as Stripe's API describes it.")
