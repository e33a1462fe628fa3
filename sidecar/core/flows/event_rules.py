"""What events of one type start in Directus, and what of Stripe's object it is told.

The operator's file, which says so, is read by ``settings.events_file``; nothing here knows what it looks like.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.core.operations.resource import StripeObject, found_at

Path = tuple[str, ...]
DELETED = "deleted"
ALWAYS = ("id", "object")
_OF_DELETED = frozenset({*ALWAYS, DELETED})  # what Stripe still says of a deleted object


@dataclass(frozen=True, slots=True)
class ItemTarget:
    """The items of a collection, found by the field `key`, which holds the ID of Stripe's object."""

    collection: str
    key: str


@dataclass(frozen=True, slots=True)
class EventRule:
    """`flow` is the ID of a Flow that is started, `target` says which item is written; one of them at least is there.

    `fields`: a name in what is told, or a field of the item -> the path of its value in Stripe's object, name by name
    or by the position in a list. Without it the Flow is told the whole object.
    """

    type: str
    flow: str | None = None
    target: ItemTarget | None = None
    fields: Mapping[str, Path] | None = None

    def told(self, value: StripeObject) -> StripeObject:
        """Give the values by name; a deleted object has only those that Stripe says of one."""
        if self.fields is None:
            return value
        deleted = value.get(DELETED) is True
        return {
            name: value_at(value, path) for name, path in self.fields.items() if not deleted or path[0] in _OF_DELETED
        }


def value_at(value: StripeObject, path: Path) -> object:
    """Give the value at the end of a path, None where the object has none; only a deleted object is `deleted`."""
    return found_at({DELETED: False, **value}, path)


def written(rules: Sequence[EventRule]) -> Mapping[str, frozenset[str]]:
    """Name the fields that rules write in each collection, with the keys by which items are found."""
    return {
        target.collection: changed(rules, target.collection) | keys(rules, target.collection)
        for target in _targets(rules)
    }


def keys(rules: Sequence[EventRule], collection: str) -> frozenset[str]:
    """Name the fields by which items of a collection are found."""
    return frozenset(target.key for target in _targets(rules) if target.collection == collection)


def changed(rules: Sequence[EventRule], collection: str) -> frozenset[str]:
    """Name the fields of a collection that events change."""
    return frozenset(
        name for rule in rules if rule.target and rule.target.collection == collection for name in rule.fields or ()
    )


def flows_of(rules: Sequence[EventRule]) -> list[str]:
    """Give the IDs of the Flows that rules start, each once and in order."""
    return sorted({rule.flow for rule in rules if rule.flow is not None})


def _targets(rules: Sequence[EventRule]) -> list[ItemTarget]:
    return [rule.target for rule in rules if rule.target is not None]
