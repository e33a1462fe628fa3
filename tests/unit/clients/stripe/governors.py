"""Governors of traffic for tests."""

from sidecar.clients.stripe.budgets import LocalBudgets
from sidecar.clients.stripe.governor import Governor


def governor(
    account: float = 1e6, each_endpoint: float = 1e6, *, each_caller: float = 1e6, patience: float = 1_000
) -> Governor:
    """Make one that lets everything pass but what is limited, in calls a second."""
    return Governor(LocalBudgets(account, each_endpoint), each_caller=each_caller, patience=patience)
