"""Objects of a list that wait in memory to be given, as they are or packed."""

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from sidecar.clients.lists.account import created
from sidecar.core.interfaces import Page
from sidecar.core.operations.resources import StripeObject

_PARSED = 2.5  # times the bytes that Stripe wrote: about what Python takes for them


class Waiting(NamedTuple):  # made for each object; a frozen dataclass takes four times as long
    """One object, with what it is found and ordered by. `size` is what it counts as in memory, in bytes."""

    created: int
    id: object
    size: int
    value: StripeObject | bytes

    @property
    def is_packed(self) -> bool:
        return isinstance(self.value, bytes)

    def unpack(self) -> StripeObject:
        if isinstance(self.value, bytes):
            value: StripeObject = orjson.loads(self.value)
            return value
        return self.value


def parsed(page: Page) -> Iterator[Waiting]:
    """Raises StripeUnavailable for an object without a date."""
    size = int(_PARSED * len(page.raw or b"") / max(1, len(page.data)))
    return (Waiting(created(value), value.get("id"), size, value) for value in page.data)


def pack(value: StripeObject) -> Waiting:
    """Raises StripeUnavailable for an object without a date."""
    # A copy: orjson leaves what it wrote in the buffer it wrote to, which has 16 KiB where 1 KiB is needed.
    body = bytes(memoryview(orjson.dumps(value)))
    return Waiting(created(value), value.get("id"), len(body), body)
