"""The operator's log of rows whose customers the Stripe account does not have.

Each row is logged once an hour, however often it is met, and not too many rows are.
"""

import logging
import time
from collections.abc import Callable

from sidecar.core.interfaces import PrimaryKey

_AGAIN = 3600.0  # seconds
_MOST = 100  # rows in that time; of a restored database every row may be one
_log = logging.getLogger(__name__)


class UnknownCustomerLog:
    """`timer` is in seconds and never goes back."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._since = timer()
        self._logged: set[str] = set()

    def add(self, collection: str, item: PrimaryKey | None, customer_id: str) -> None:
        """Log one row; `item` is None where the caller may not see its key."""
        if self._timer() - self._since >= _AGAIN:
            self._since = self._timer()
            self._logged.clear()
        if customer_id in self._logged or len(self._logged) > _MOST:
            return
        self._logged.add(customer_id)
        if len(self._logged) > _MOST:
            _log.error("More items name unknown customers and are not logged now: `reconcile --dry-run` names all")
            return
        facts = {"collection": collection, "item": item, "customer": customer_id}
        _log.error("An item names a customer that the Stripe account does not have, or no longer", extra=facts)
