"""Creates a customer at Stripe, on its own or for an item of Directus.

Customers are never matched by e-mail address: anybody can type one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.core.access.credentials import Credential
from sidecar.core.flows.customer_state import is_alive
from sidecar.core.flows.idempotency import client_key
from sidecar.core.interfaces import ChangeRequest, PrimaryKey, Sent, StripeCalls
from sidecar.core.operations.metadata import METADATA
from sidecar.core.operations.operator_values import ITEM, completed, filled
from sidecar.core.operations.resources import CUSTOMER, StripeObject, is_customer_id
from sidecar.errors import ItemConflict, StripeUnavailable

_SPENT = "The customer of this Idempotency-Key was deleted at Stripe. Send another key to create the next one."


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """`attributes` by Stripe's names; `item` only with write-back, where None means that one is to be created.

    `fixed` are the operator's attributes, which no item repeats on the creator's word; the item's key is put into them.
    """

    attributes: Mapping[str, object]
    item: PrimaryKey | None = None
    fixed: Mapping[str, object] = field(default_factory=dict)

    def sent(self, item: PrimaryKey | None = None) -> dict[str, object]:
        """Give what Stripe gets, for an item with this primary key."""
        return completed(self.attributes, filled(self.fixed, {} if item is None else {ITEM: str(item)}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The customer, and with write-back its `item`.

    `created`: this call created it, and no other call says so. `found`: the item had it already, so the caller sees of
    it only what it may read. `linked`: its ID was written into the item, by this call or one at the same moment.
    `pending`: its ID still has to be written.
    """

    customer: StripeObject
    item: PrimaryKey | None = None
    created: bool = True
    pending: bool = False
    found: bool = False
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Creator:
    """The caller who creates. `may_read`: it may read the customers of its items, so it may see an existing one.

    `may_write_id`: it may itself update the field of the ID. `key` is the client's own Idempotency-Key, None where it
    sent none.
    """

    credential: Credential
    may_read: bool
    may_write_id: bool = True
    key: str | None = None


async def create_customer(new: NewCustomer, creator: Creator, stripe: StripeCalls) -> Outcome:
    """Create a customer without an item, once for each of the creator's keys.

    For a day Stripe repeats its first answer to a key, even if that customer was deleted since. Raises ItemConflict
    for such a key, and StripeFailure.
    """
    named = None if creator.key is None else client_key(creator.credential, "customers.create", creator.key)
    sent = await create_at_stripe(stripe, new.sent(), {}, named or secrets.token_hex(16))
    if named is not None and sent.replayed and not await is_alive(stripe, str(sent.object["id"])):
        raise ItemConflict(_SPENT)
    return Outcome(sent.object)


async def create_at_stripe(
    stripe: StripeCalls, attributes: Mapping[str, object], metadata: Mapping[str, str], key: str
) -> Sent:
    """Raises StripeFailure."""
    sent = await stripe.send(ChangeRequest("POST", CUSTOMER.path, completed(attributes, {METADATA: metadata}), key))
    if not is_customer_id(sent.object.get("id")):
        raise StripeUnavailable("Stripe answered without a customer.", detail="no id")
    return sent
