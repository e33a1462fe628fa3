"""STRIPE_FIELD_MAP parted into a customer's own attributes and what belongs to it. Nothing else reads the two together.

Attributes decide what callers see and set. A source does neither: it is only ever written into an item by the service.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.flows.mirror import unwritten_fields
from sidecar.core.operations.known_attributes import ATTRIBUTES
from sidecar.core.operations.rules import suggestion
from sidecar.core.status.sources import SOURCES, Origin, Source

_ATTRIBUTES = frozenset(name for names in ATTRIBUTES.values() for name in names.split())


@dataclass(frozen=True, slots=True)
class MappedFields:
    """Fields of the customers collection, in the operator's order."""

    attributes: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, Source]

    @classmethod
    def of(cls, named: Mapping[str, Sequence[str]]) -> "MappedFields":
        """Part a map without faults."""
        sources = {field: SOURCES[names[0]] for field, names in named.items() if names and names[0] in SOURCES}
        return cls({field: tuple(names) for field, names in named.items() if field not in sources}, sources)


def faults(named: Mapping[str, Sequence[str]], collection: CustomersCollection) -> Iterator[str]:
    """Say what cannot be mapped. A name that is no source is an attribute, and any attribute may be named."""
    for field, names in named.items():
        yield from (f"{field}: {_unknown(name)}" for name in names if _is_unknown(name))
        sources = [name for name in names if name in SOURCES]
        if sources and len(names) > 1:
            yield f"{field}: {sources[0]} must be the only one that a field repeats"
        if sources and field in unwritten_fields(collection):
            yield f"{field}: this field of {collection.name} never follows Stripe; name another one for {sources[0]}"


def _is_unknown(name: str) -> bool:
    if name in SOURCES or name in _ATTRIBUTES:
        return False
    return "." in name or suggestion(name, SOURCES) != ""


def _unknown(name: str) -> str:
    """Say what is wrong with a name, and which one may be meant."""
    origin, _, path = name.partition(".")
    below = [source.name.removeprefix(f"{origin}.") for source in SOURCES.values() if source.origin == origin]
    if path and below:
        return f"{origin} has no {path}{suggestion(path, below) or '; it has ' + ', '.join(below)}"
    others = f"; beside attributes there are {', '.join(Origin)}"
    return f"there is no {name}{suggestion(name, SOURCES) or others}"
