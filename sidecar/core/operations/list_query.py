"""The pagination parameters of a list: one page, or everything between two moments.

Names and meaning are Stripe's (docs.stripe.com/api/pagination, and `created` of each list). Times are whole seconds
since the epoch.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sidecar.core.operations.parameters import Several
from sidecar.core.operations.resources import Resource
from sidecar.core.operations.row import Kind, Operation
from sidecar.errors import InvalidQuery

MOST = 100  # objects that Stripe gives in one page
_NUMBER = re.compile(r"[0-9]{1,12}")
_BOUNDS = ("gte", "gt", "lte", "lt")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of time, `since` inclusive and `until` exclusive; None is unbounded.

    Bounds are whole seconds, like `created`, so two neighboring spans share no object and miss none.
    """

    since: int | None = None
    until: int | None = None

    def filters(self) -> dict[str, str]:
        """Give the span as Stripe's parameters."""
        bounds = {"created[gte]": self.since, "created[lt]": self.until}
        return {name: str(value) for name, value in bounds.items() if value is not None}

    def contains(self, created: int) -> bool:
        return (self.since is None or created >= self.since) and (self.until is None or created < self.until)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """`limit` asks for one page; without it the whole list is meant, beginning after `starting_after` if given."""

    limit: int | None = None
    starting_after: str | None = None
    ending_before: str | None = None
    span: Span = Span()

    @property
    def cursor(self) -> str | None:
        return self.starting_after or self.ending_before

    def page_parameters(self) -> dict[str, str]:
        """Give the parameters of the one Stripe page that is asked for."""
        cursors = {"starting_after": self.starting_after, "ending_before": self.ending_before}
        found = {name: value for name, value in cursors.items() if value is not None}
        return {"limit": str(self.limit), **found, **self.span.filters()}


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page of a whole list, ready to be written; the default has no objects.

    `newest` and `oldest` are the extremes of `created` in seconds. `in_order`: no object is newer than the one before.
    """

    payload: bytes = b""
    ids: tuple[str, ...] = ()
    more: bool = False
    newest: int = 0
    oldest: int = 0
    in_order: bool = True

    @property
    def outline(self) -> "RenderedPage":
        """Give the page without its bytes, for those who only go on after it."""
        return replace(self, payload=b"")


def parse_list_query(
    parameters: Iterable[tuple[str, str]], operation: Operation
) -> tuple[ListQuery, dict[str, str | list[str]]]:
    """Read a list's pagination parameters, and give the rest, which choose among its objects, unread.

    Where a parameter takes several values, commas separate them, or it is repeated, also as Stripe's `name[]`. Raises
    InvalidQuery for a parameter that the list does not take, a repeated or an unusable one.
    """
    known = [*list_parameters(operation), *(parameter.name for parameter in operation.taken)]
    several = {parameter.name for parameter in operation.parameters if isinstance(parameter.type, Several)}
    given: dict[str, str] = {}
    gathered: dict[str, list[str]] = {}
    for name, value in parameters:
        if (bare := name.removesuffix("[]")) in several:
            gathered.setdefault(bare, []).extend(value.split(","))
            continue
        if name in given:
            raise InvalidQuery(f"{name}: send it once.")
        if name not in known:
            raise InvalidQuery(f"This list takes {', '.join(known)}.")
        given[name] = value
    rest = {name: value for name, value in given.items() if name not in _KNOWN}
    return _list_query(given, operation.resource), {**rest, **gathered}


def list_parameters(operation: Operation) -> list[str]:
    """Name the pagination parameters of a list; a search has cursors of another kind."""
    if operation.kind is Kind.SEARCH:
        return ["limit"]
    return [name for name in _KNOWN if operation.resource.dated or not name.startswith("created")]


def _list_query(given: Mapping[str, str], resource: Resource) -> ListQuery:
    query = ListQuery(
        limit=_limit(given),
        starting_after=_cursor(given, "starting_after", resource),
        ending_before=_cursor(given, "ending_before", resource),
        span=_span(given),
    )
    if query.starting_after and query.ending_before:
        raise InvalidQuery("starting_after, ending_before: send one of them.")
    if query.ending_before and query.limit is None:
        raise InvalidQuery("ending_before: send limit with it.")
    return query


_KNOWN = ("limit", "starting_after", "ending_before", *(f"created[{bound}]" for bound in _BOUNDS))


def _limit(given: Mapping[str, str]) -> int | None:
    limit = _number(given, "limit")
    if limit is not None and not 1 <= limit <= MOST:
        raise InvalidQuery(f"limit: must be between 1 and {MOST}.")
    return limit


def _cursor(given: Mapping[str, str], name: str, resource: Resource) -> str | None:
    value = given.get(name)
    if value is not None and not resource.is_id(value):
        raise InvalidQuery(f"{name}: must be the ID of an object of this list.")
    return value


def _span(given: Mapping[str, str]) -> Span:
    gte, gt, lte, lt = (_number(given, f"created[{bound}]") for bound in _BOUNDS)
    since = [value for value in (gte, None if gt is None else gt + 1) if value is not None]
    until = [value for value in (lt, None if lte is None else lte + 1) if value is not None]
    return Span(max(since, default=None), min(until, default=None))


def _number(given: Mapping[str, str], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise InvalidQuery(f"{name}: must be a whole number.")
    return int(value)
