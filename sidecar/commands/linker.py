"""What ``link`` reads of both sides, and how it joins an item and a customer.

The customer is signed for the item before its ID is written there. So a crash between the two leaves what a crash of
the service leaves: a customer that names an item without an ID, which the next run links, and `reconcile` too.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import islice

from sidecar.commands.ledger import Ledger
from sidecar.commands.link_file import Asked, LinkFault
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.permissions import Action
from sidecar.core.flows.adoption import Adoption
from sidecar.core.flows.customer_state import CustomerState, state_of
from sidecar.core.flows.matching import Left, Match, Matching, Pair, Why, address_of, claim_of, hindrance
from sidecar.core.flows.reconcile import Fill, Problem, lacking
from sidecar.core.operations.resources import StripeObject, is_customer_id
from sidecar.errors import StripeRejected

_MOST_ITEMS = 200_000  # without a customer; some 100 MB
_AT_ONCE = 100  # lines of a file
_NOT_ALIVE = {CustomerState.DELETED: Why.DELETED, CustomerState.UNKNOWN: Why.UNKNOWN}
_NOT_FILLED = {Problem.ELSEWHERE: Why.TAKEN, Problem.GONE: Why.GONE, Problem.SEVERAL: Why.HAS_ANOTHER}
Progress = Callable[[str], None]


class Linker:
    """`email_field` is None where a file says who belongs to whom.

    All methods raise CredentialRefused, DirectusUnavailable, ItemRefused and StripeFailure.
    """

    def __init__(
        self, ledger: Ledger, collection: CustomersCollection, email_field: str | None, progress: Progress
    ) -> None:
        self._ledger, self._collection, self._progress = ledger, collection, progress
        self._email_field = email_field
        self._emails = None if email_field is None else ledger.emails(email_field)

    async def require_rights(self) -> None:
        """Raise LinkFault where the service token may not do all of it."""
        permissions = await self._ledger.permissions()
        missing = lacking(permissions, self._collection)
        if missing:
            raise LinkFault(f"the service token must be allowed to {', '.join(missing)}: run `provision`")
        read, field = permissions.grant(self._collection.name, Action.READ), self._email_field
        if field is not None and not read.fields.allow(field):
            raise LinkFault(
                f"the service token may not read {self._collection.name}.{field}, or there is no such field: run "
                f"`provision --email-field {field}`, and `provision` without it once all is linked"
            )

    async def by_email(self) -> AsyncIterator[Match]:
        """Pair the whole collection with the whole account. Raises LinkFault where too many items have no customer."""
        assert self._emails is not None  # noqa: S101 - only a file does without
        matching, links = Matching(), await self._ledger.links()
        async for items in self._emails.without_customer():
            for item in items:
                matching.add_item(item.key, item.email)
            if matching.items > _MOST_ITEMS:
                raise LinkFault(f"more than {_MOST_ITEMS} items have no customer: link some of them by --csv first")
            self._progress(f"Reading items: {matching.items}")
        listed = 0
        async for page in self._ledger.everybody():
            for entry in page:
                if is_customer_id(entry.get("id")) and not entry.get("deleted"):
                    claim = claim_of(links, entry.get("metadata"))
                    matching.add_customer(str(entry["id"]), entry.get("email"), claim)
            listed += len(page)
            self._progress(f"Reading customers: {listed}")
        async for items in self._emails.with_customer():
            for item in items:
                matching.add_linked(item.key, item.email, item.customer or "")
            self._progress("Reading items that have a customer")
        for match in matching.matches():
            yield match

    async def by_file(self, asked: Sequence[Asked]) -> AsyncIterator[Match]:
        lines, done = iter(asked), 0
        while chunk := list(islice(lines, _AT_ONCE)):
            items = await self._ledger.named([line.item for line in chunk])
            for line in chunk:
                yield await self._judged(line, items)
                done += 1
                self._progress(f"Reading lines: {done} of {len(asked)}")

    async def _judged(self, line: Asked, items: dict[str, str | None]) -> Match:
        linked, found = items.get(line.item), await self._ledger.customer(line.customer)
        why = _of_item(line.item, items, line.customer) or await self._of_customer(found, line.item)
        claimed = found is not None and claim_of(await self._ledger.links(), found.get("metadata")) == line.item
        if why is None and linked is not None and claimed:
            why = Why.DONE
        if why is None and await self._ledger.elsewhere(Fill(line.item, line.customer)) is not None:
            why = Why.TAKEN
        by = f"line {line.number}"
        return Pair(line.item, line.customer, by) if why is None else Left(line.item, why, line.customer, by)

    async def link(self, pair: Pair) -> Left | None:
        """Sign the customer and write its ID, after a look at both as they are now; None where that is done."""
        found = await self._ledger.customer(pair.customer)
        why = await self._of_customer(found, pair.item) or await self._of_item_now(pair, found)
        if why is None and await self._ledger.elsewhere(Fill(pair.item, pair.customer)) is not None:
            why = Why.TAKEN
        if why is None:
            why = await self._written(pair, found or {})
        return None if why is None else Left(pair.item, why, pair.customer, pair.by)

    async def _written(self, pair: Pair, found: StripeObject) -> Why | None:
        """A customer that the item does not get after all is as it was before."""
        new = claim_of(await self._ledger.links(), found.get("metadata")) is None
        try:
            await self._ledger.sign(Adoption(pair.customer, pair.item))
        except StripeRejected:  # such as a customer with fifty keys of metadata
            return Why.REFUSED
        finding = await self._ledger.fill(Fill(pair.item, pair.customer))
        if finding is None:
            return None
        if new:
            await self._ledger.unsign(pair.customer)
        return _NOT_FILLED.get(finding.problem, Why.REFUSED)

    async def _of_customer(self, found: StripeObject | None, item: str) -> Why | None:
        state = state_of(found)
        if found is None or state is not CustomerState.ALIVE:
            return _NOT_ALIVE[state]
        return hindrance(claim_of(await self._ledger.links(), found.get("metadata")), item)

    async def _of_item_now(self, pair: Pair, found: StripeObject | None) -> Why | None:
        if self._emails is None:
            return _of_item(pair.item, await self._ledger.named([pair.item]), pair.customer)
        now = await self._emails.one(pair.item)
        if now is None:
            return Why.GONE
        addresses = {address_of(now.email), address_of((found or {}).get("email"))}
        linked = _of_item(pair.item, {now.key: now.customer}, pair.customer)
        return linked or (None if addresses == {pair.by} else Why.CHANGED)


def _of_item(item: str, items: Mapping[str, str | None], customer: str) -> Why | None:
    if item not in items:
        return Why.GONE
    return None if items[item] in {None, customer} else Why.HAS_ANOTHER
