"""Writes values into one item: what Directus refuses does not hold up the rest, and is logged without its value."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sidecar.core.interfaces import PrimaryKey
from sidecar.errors import EventFailed, ItemRefused

# Directus's codes for a null that it judges itself, and for one that the database refuses.
_NOT_NULL = frozenset({"FAILED_VALIDATION", "NOT_NULL_VIOLATION", "CONTAINS_NULL_VALUES"})
_MOST_LOGGED = 20  # items of one event
_log = logging.getLogger(__name__)


class Changing(Protocol):
    async def change(self, item: PrimaryKey, customer_id: str | None, values: Mapping[str, object]) -> bool:
        """Change the item if it is still linked to this customer, or with None to nobody; False where it is not.

        Raises ItemRefused and DirectusUnavailable.
        """


@dataclass(slots=True)
class Written:
    """The fields that were written, and Directus's code for each that it refused. `linked`: the item is still ours."""

    fields: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    linked: bool = True


async def write(items: Changing, item: PrimaryKey, customer_id: str | None, values: Mapping[str, object]) -> Written:
    """Write all values at once, or each by itself where Directus refuses them together. Raises DirectusUnavailable."""
    try:
        linked = await items.change(item, customer_id, values)
    except ItemRefused as refused:
        if len(values) > 1:
            return await _one_by_one(items, item, customer_id, values)
        if refused.code in _NOT_NULL and None in values.values():
            return await write(items, item, customer_id, dict.fromkeys(values, ""))
        return Written(refused=dict.fromkeys(values, refused.code))
    return Written(list(values) if linked else [], linked=linked)


async def _one_by_one(
    items: Changing, item: PrimaryKey, customer_id: str | None, values: Mapping[str, object]
) -> Written:
    all_written = Written()
    for name, value in values.items():
        written = await write(items, item, customer_id, {name: value})
        all_written.fields += written.fields
        all_written.refused |= written.refused
        all_written.linked = written.linked
        if not written.linked:
            break
    return all_written


class Unwritten:
    """The values that an event could not write, by item and field. Each is tried again only if it changes."""

    def __init__(self, customer_id: str) -> None:
        self._customer_id = customer_id
        self._values: dict[tuple[PrimaryKey, str], object] = {}
        self._logged = set[PrimaryKey]()

    def rest(self, item: PrimaryKey, values: Mapping[str, object]) -> dict[str, object]:
        """Give those of these values that were not refused."""
        noted = {name: self._values[item, name] for name in values if (item, name) in self._values}
        return {name: value for name, value in values.items() if name not in noted or noted[name] != value}

    def forget(self, item: PrimaryKey, fields: Iterable[str]) -> None:
        for name in fields:
            self._values.pop((item, name), None)

    def barred(self, item: PrimaryKey, values: Mapping[str, object]) -> None:
        """Note what the service token may not write, which is the operator's to mend."""
        self._note(
            item,
            values,
            "The service token may not read and change fields of an item, which do not follow its customer: run "
            "`provision` with STRIPE_WEBHOOK_SECRET and STRIPE_FIELD_MAP as here, or take them out of the map",
        )

    def unfit(self, item: PrimaryKey, values: Mapping[str, object]) -> None:
        """Note what does not fit the type of its field, which is the operator's to mend."""
        self._note(
            item,
            values,
            "Fields of an item have types that cannot hold what STRIPE_FIELD_MAP names for them, so they do not follow "
            "its customer: `check` says which types can",
        )

    def refused(self, item: PrimaryKey, values: Mapping[str, object], codes: Mapping[str, str]) -> None:
        """Note what Directus refused, with its code for each field."""
        for code in dict.fromkeys(codes.values()):
            named = {name: values[name] for name in codes if codes[name] == code}
            self._note(item, named, "Directus refuses what Stripe says of a customer", code=code)

    def require_none(self) -> None:
        """Raise EventFailed if anything is left unwritten, so that it shows at Stripe and is tried again."""
        if self._values:
            items = {item for item, _ in self._values}
            raise EventFailed(
                "Some fields could not be written. Send the event again.",
                detail=f"{len(self._values)} values of {len(items)} items were not written",
            )

    def _note(self, item: PrimaryKey, values: Mapping[str, object], message: str, **facts: object) -> None:
        new = self.rest(item, values)
        self._values |= {(item, name): value for name, value in new.items()}
        if new and (item in self._logged or len(self._logged) < _MOST_LOGGED):
            self._logged.add(item)
            named = {"item": item, "customer": self._customer_id, "fields": sorted(new)}
            _log.error(message, extra={**named, **facts})
