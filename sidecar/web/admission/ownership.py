"""Holds a scoped caller to the customers in its own rows, as ``core.calling`` asks for it."""

from sidecar.errors import InvalidPayload, PermissionDenied
from sidecar.web.admission.caller import Caller
from sidecar.web.admission.gate import Gate


class Hold:
    """`caller` grows by each customer that was found to be its own."""

    def __init__(self, gate: Gate, caller: Caller) -> None:
        self._gate = gate
        self.caller = caller

    async def hold(self, customer_id: str) -> None:
        if customer_id not in self.caller.scope.customers:
            self.caller = await self._gate.held(self.caller, customer_id)

    async def sole(self) -> str:
        customers = (await self._gate.customers(self.caller)).scope.customers
        if not customers:
            raise self.refusal()
        if len(customers) > 1:
            raise InvalidPayload("customer: your items name several; say which one.")
        [customer] = customers
        await self.hold(customer)
        return customer

    def refusal(self) -> PermissionDenied:
        return self._gate.invisible(self.caller)
