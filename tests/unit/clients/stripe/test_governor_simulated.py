"""The governor under simulated traffic: shares, waits and budgets, whatever the callers do."""

import asyncio
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.urgency import Urgency
from tests.doubles.virtual_time import VirtualTimeLoop
from tests.traffic.scenarios import HUNDRED, SCENARIOS, TEN, steady
from tests.traffic.simulator import (
    ENDPOINTS,
    Bursts,
    Greedy,
    Habit,
    Leaving,
    Outcome,
    Setting,
    Steady,
    fairness,
    simulate,
)

pytestmark = pytest.mark.slow


def simulated(setting: Setting, callers: dict[str, Habit], seed: int = 1) -> Outcome:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(simulate(setting, callers, seed))


@cache
def outcome_of(name: str) -> Outcome:
    """Simulate a scenario once for all tests that look at it."""
    _, callers, setting = SCENARIOS[name]
    return simulated(setting, callers)


def keeps_budgets(setting: Setting, outcome: Outcome, callers: dict[str, Habit]) -> bool:
    """In no second more turns than the rate, a burst of a fifth of it (for a caller: of all of it) and one."""
    account = outcome.most_in_a_second() <= setting.account * 1.2 + 1
    endpoints = all(outcome.most_in_a_second(where) <= setting.each_endpoint * 1.2 + 1 for where in ENDPOINTS)
    each = all(outcome.most_in_a_second(caller=name) <= setting.each_caller * 2 + 1 for name in callers)
    return account and endpoints and each


@pytest.mark.parametrize("name", SCENARIOS)
def test_budgets(name: str) -> None:
    """F3: whatever the callers do, no budget is exceeded in any second, and nothing is left over."""
    _, callers, setting = SCENARIOS[name]

    outcome = outcome_of(name)

    assert keeps_budgets(setting, outcome, callers)
    assert outcome.left_over == 0


@pytest.mark.parametrize("name", [name for name in SCENARIOS if "greedy" in SCENARIOS[name][1]])
def test_shares_beside_a_greedy_caller(name: str) -> None:
    """F1: beside one caller with 500 calls others have equal shares, and wait as if it asked as they do."""
    looked_at, callers, setting = SCENARIOS[name]

    outcome = outcome_of(name)

    shares, [greedy] = outcome.calls_of(looked_at), outcome.calls_of(["greedy"])
    assert fairness(shares) > 0.99
    assert outcome.worst_wait(looked_at) <= (len(looked_at) + 6) / setting.each_endpoint
    if callers["greedy"] != Greedy(500, ENDPOINTS[2], Urgency.CALL):  # that one asks at an endpoint of its own
        assert greedy <= max(shares) * 1.2 + 10
    assert outcome.refusals.total() == outcome.refusals["greedy"]


def test_leaving_costs_nothing() -> None:
    """F2: one that asks 500 times and leaves, ten times a second, takes no more than its share of turns."""
    looked_at, _, _ = SCENARIOS[name := "10 callers beside one that asks 500 times and leaves"]

    outcome = outcome_of(name)

    assert outcome.calls_of(["leaving"])[0] <= max(outcome.calls_of(looked_at))
    assert outcome.worst_wait(looked_at) < 2


def test_as_many_as_ask() -> None:
    """What a hundred callers get adds up to the endpoint's whole rate: fairness wastes no turn."""
    setting = Setting()

    outcome = simulated(setting, steady(HUNDRED))

    assert sum(outcome.calls_of(HUNDRED)) >= setting.seconds * setting.each_endpoint


def test_lists_beside_endless_pages() -> None:
    """Whole lists never starve: beside endless pages of one caller each list has the share of its caller."""
    _, _, setting = SCENARIOS[name := "10 whole lists beside 500 pages of one"]

    outcome = outcome_of(name)

    assert min(outcome.calls_of(TEN)) >= setting.seconds * setting.each_endpoint / 11 - 10


def test_lists_where_the_account_is_the_limit() -> None:
    """F1: changes and pages at other endpoints that could take all of the account's turns leave a list its third."""
    callers: dict[str, Habit] = {
        "reader": Greedy(20, ENDPOINTS[0], Urgency.LIST),
        "pager": Greedy(20, ENDPOINTS[1], Urgency.PAGE),
        "clerk": Greedy(20, ENDPOINTS[2], Urgency.CALL),
    }
    setting = Setting(account=40, each_endpoint=20)

    outcome = simulated(setting, callers)

    assert min(outcome.calls_of(callers)) >= setting.seconds * setting.account / 3 - 20


URGENCIES = st.sampled_from(list(Urgency))
HABITS: st.SearchStrategy[Habit] = st.one_of(
    st.builds(Steady, st.sampled_from(ENDPOINTS), URGENCIES, st.sampled_from([0.0, 0.3, 5.0])),
    st.builds(Greedy, st.integers(1, 40), st.sampled_from(ENDPOINTS), URGENCIES),
    st.builds(Leaving, st.integers(1, 60), st.sampled_from([0.0, 0.002, 0.5]), st.sampled_from(ENDPOINTS)),
    st.builds(Bursts, st.integers(1, 30), st.sampled_from([0.5, 3.0]), URGENCIES),
)
SETTINGS = st.builds(
    Setting,
    account=st.sampled_from([5.0, 20.0, 80.0]),
    each_endpoint=st.sampled_from([4.0, 20.0]),
    each_caller=st.sampled_from([3.0, 20.0, 40.0]),
    patience=st.sampled_from([0.5, 5.0, 25.0]),
    latency=st.sampled_from([0.0, 0.06, 2.0]),
    refused=st.sampled_from([0.0, 0.0, 0.05]),
    seconds=st.just(5.0),
)


@given(SETTINGS, st.lists(HABITS, min_size=1, max_size=12), st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_any_traffic(setting: Setting, habits: list[Habit], seed: int) -> None:
    """F3: for any callers, budgets and faults: budgets are kept, waits are bounded, and nothing is left over."""
    callers = {f"caller {number}": habit for number, habit in enumerate(habits)}

    outcome = simulated(setting, callers, seed)

    assert keeps_budgets(setting, outcome, callers)
    assert outcome.worst_wait(callers) <= setting.patience + 0.01
    assert outcome.left_over == 0
