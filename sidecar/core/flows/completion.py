"""Completes a request by the operator's values.

Who the caller is and which item is meant is asked only where the values refer to it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from sidecar.core.interfaces import PrimaryKey
from sidecar.core.operations.operator_values import ITEM, USER, completed, filled, place_of
from sidecar.errors import InvalidPayload


@dataclass(frozen=True, slots=True)
class Completion:
    """`fixed` are the operator's values.

    `user` gives the caller's user ID, None for a guest, to whom no value refers. `item` gives the primary key of the
    one item that names a customer, None where the caller may not see that there is exactly one; it raises ItemRefused
    and DirectusUnavailable.
    """

    fixed: Mapping[str, object]
    user: Callable[[], Awaitable[str | None]]
    item: Callable[[str], Awaitable[PrimaryKey | None]]

    def without(self, names: Collection[str]) -> "Completion":
        """Give the same without the values of these parameters."""
        return replace(self, fixed={name: value for name, value in self.fixed.items() if name not in names})

    @property
    def needs_item(self) -> bool:
        return place_of(ITEM, self.fixed) is not None

    async def complete(self, values: Mapping[str, object], customer: str | None) -> dict[str, object]:
        """Give all values of a call; `customer` is the one that it is about, and matters only where `needs_item`.

        Raises InvalidPayload where no item can be told, and whatever `user` and `item` raise.
        """
        words: dict[str, str] = {}
        if (place := place_of(ITEM, self.fixed)) is not None:
            words[ITEM] = await self._item(place, customer)
        if place_of(USER, self.fixed) is not None:
            words[USER] = somebody(await self.user())
        return completed(values, filled(self.fixed, words))

    async def _item(self, place: str, customer: str | None) -> str:
        if customer is None:
            raise InvalidPayload(f"{place}: is the key of the customer's item, and no customer is named; name one.")
        key = await self.item(customer)
        if key is None:
            raise InvalidPayload(
                f"{place}: is the key of the customer's item, which cannot be told: you may read the keys of none or "
                "of several items that name this customer.",
                extensions={"reason": "no_item"},
            )
        return str(key)


def somebody(user: str | None) -> str:
    """Give the ID of a caller who is no guest; a guest's values name nobody."""
    assert user is not None  # noqa: S101 - only a guest has none
    return user
