"""Where the objects of some customers are gone on with: an object of theirs, its time and its list.

Stripe tells who owns an object. The answer to a cursor that is not the caller's own is the same as to one that does not
exist, after the same calls. What is remembered only spares the owner of an object that question: it is left aside for
everybody else, and Stripe still refuses a cursor that is gone. The question is never answered from a moment ago:
Stripe's refusals are not remembered, so the time would tell whether there is such an object.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sidecar.clients.lists.account import created
from sidecar.core.interfaces import Choice, StripeObjects
from sidecar.core.operations.list_query import ListQuery, Span
from sidecar.core.operations.resources import RESOURCES, Resource, reference
from sidecar.core.pages import Listed, Page
from sidecar.core.urgency import Urgency
from sidecar.errors import InvalidQuery, StripeRejected

_BY_PATH: Mapping[str, Resource] = {resource.path: resource for resource in RESOURCES.values() if resource.identity}
_ABSENT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
_REMEMBERED = 10_000  # objects, some 300 bytes each


@dataclass(frozen=True, slots=True)
class Start:
    """`cursor` was created at `created`, in seconds; `value` is the one of the choice that it belongs to."""

    cursor: str
    created: int
    value: str

    def span(self, value: str, span: Span) -> Span:
        """Give the part of the span with what follows in another value's list; of equally old ones values decide."""
        until = self.created if value < self.value else self.created + 1
        return Span(span.since, until if span.until is None else min(until, span.until))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of each of the lists at a path: a part of it, and only what follows `start`."""

    path: str
    filters: Mapping[str, str]
    span: Span
    start: Start | None = None

    def parameters(self, value: str) -> dict[str, str]:
        """Give Stripe's parameters for the list of this value; `start` bounds the lists that it is not in."""
        start = self.start
        span = self.span if start is None or start.value == value else start.span(value, self.span)
        return {**self.filters, **span.filters()}

    def after(self, value: str) -> str | None:
        """Give the object after which the list of this value begins, None where it begins at the top."""
        return self.start.cursor if self.start is not None and self.start.value == value else None


class Starts:
    """The ends of pages that were given lately, which the next page most likely begins at. It knows no caller.

    `stripe` must give every object anew.
    """

    def __init__(self, stripe: StripeObjects) -> None:
        self._stripe = stripe
        self._ends: OrderedDict[tuple[str, str, str], Start] = OrderedDict()

    def remember(self, path: str, choice: Choice, page: Page) -> None:
        """Remember both ends of a page that has objects of this choice, and was checked for that."""
        if _resource(path, choice) is None:
            return
        for listed in (*page.listed[:1], *page.listed[-1:]):
            value = listed.customer_id if choice.attribute == "customer" else choice.values[0]
            if listed.id is not None and listed.time is not None and value is not None:
                self._add((path, choice.attribute, listed.id), Start(listed.id, listed.time, value))

    def _add(self, key: tuple[str, str, str], start: Start) -> None:
        self._ends[key] = start
        self._ends.move_to_end(key)
        if len(self._ends) > _REMEMBERED:
            self._ends.popitem(last=False)

    def forget(self, wanted: Wanted, choice: Choice) -> None:
        """Have Stripe asked the next time."""
        if wanted.start is not None:
            self._ends.pop((wanted.path, choice.attribute, wanted.start.cursor), None)

    async def find(self, path: str, choice: Choice, query: ListQuery, urgency: Urgency) -> Start | None:
        """Give the start at the query's cursor; None where there is none, or only the list itself can tell.

        Raises InvalidQuery for an object that is not of this choice and span, and StripeFailure.
        """
        cursor, resource = query.cursor, _resource(path, choice)
        if cursor is None or resource is None:
            return None
        several = len(choice.values) > 1
        if several and (query.ending_before is not None or not resource.dated):
            return None  # the other lists have to be read from the top anyway
        start = self._ends.get((path, choice.attribute, cursor))
        if start is None or start.value not in choice.values:
            start = await _retrieved(self._stripe, path, choice, cursor, urgency)
        if start is None or not query.span.contains(start.created):
            raise no_such_cursor(query)
        return start


async def _retrieved(stripe: StripeObjects, path: str, choice: Choice, cursor: str, urgency: Urgency) -> Start | None:
    """Ask Stripe for the object; None where there is none, or none that is of this choice."""
    try:
        found = await stripe.retrieve(path, cursor, urgency=urgency)
    except StripeRejected as rejected:
        if rejected.status not in _ABSENT:
            raise
        return None
    value = reference(found, choice.attribute)
    if found.get("id") != cursor or value not in choice.values:
        return None
    return Start(cursor, created(Listed.of(found)), value)


def _resource(path: str, choice: Choice) -> Resource | None:
    """Give the kind of the list's objects, where one can be retrieved by its ID and says whose it is."""
    tells = choice.told and not choice.in_path and choice.attribute != "id" and bool(choice.values)
    return _BY_PATH.get(path) if tells else None


def no_such_cursor(query: ListQuery) -> InvalidQuery:
    name = "starting_after" if query.starting_after is not None else "ending_before"
    return InvalidQuery(f"{name}: is not an object of this list.")
