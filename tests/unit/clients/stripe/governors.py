"""Governors of traffic for tests."""

import asyncio
from dataclasses import dataclass

from sidecar.clients.stripe.budgets import NONE, Budgets, LocalBudgets, Wait
from sidecar.clients.stripe.governor import Governor


@dataclass
class Late:
    """Budgets that are kept elsewhere: their answers take so many seconds."""

    budgets: Budgets
    seconds: float

    async def take(self, endpoint: str) -> Wait:
        await asyncio.sleep(self.seconds / 2)
        wait = await self.budgets.take(endpoint)
        try:
            await asyncio.sleep(self.seconds / 2)
        except asyncio.CancelledError:
            if wait == NONE:
                self.budgets.give_back(endpoint)
            raise
        return wait

    def give_back(self, endpoint: str) -> None:
        self.budgets.give_back(endpoint)

    async def pause(self, endpoint: str | None, seconds: float) -> None:
        await self.budgets.pause(endpoint, seconds)

    def expected(self, endpoint: str, ahead: int, ahead_in_all: int) -> float:
        return self.budgets.expected(endpoint, ahead, ahead_in_all)


def governor(
    account: float = 1e6,
    each_endpoint: float = 1e6,
    *,
    each_caller: float = 1e6,
    patience: float = 1_000,
    late: float = 0.0,
) -> Governor:
    """Make one that lets everything pass but what is limited, in calls a second; `late` is in seconds."""
    budgets: Budgets = LocalBudgets(account, each_endpoint)
    return Governor(Late(budgets, late) if late else budgets, each_caller=each_caller, patience=patience)
