"""The cases that the simulator prints and the tests hold: names of callers, and what each does."""

from sidecar.core.urgency import Urgency
from tests.traffic.simulator import ENDPOINTS, Bursts, Greedy, Habit, Leaving, Setting, Steady

HUNDRED = [f"caller {number}" for number in range(100)]
TEN = HUNDRED[:10]
LIST, CHANGE = (ENDPOINTS[0], Urgency.LIST), (ENDPOINTS[2], Urgency.CALL)


def steady(names: list[str], habit: Steady = Steady()) -> dict[str, Habit]:  # noqa: B008 - it is frozen
    return dict.fromkeys(names, habit)


# What is simulated, the callers whose shares and waits are looked at, and the world.
SCENARIOS: dict[str, tuple[list[str], dict[str, Habit], Setting]] = {
    "100 callers, each a page after the other": (HUNDRED, steady(HUNDRED), Setting()),
    "the same beside one with 500 pages": (HUNDRED, {**steady(HUNDRED), "greedy": Greedy(500)}, Setting()),
    "10 callers beside one with 500 pages": (TEN, {**steady(TEN), "greedy": Greedy(500)}, Setting()),
    "10 callers beside one with 500 whole lists": (TEN, {**steady(TEN), "greedy": Greedy(500, *LIST)}, Setting()),
    "10 callers beside 500 changes of one": (TEN, {**steady(TEN), "greedy": Greedy(500, *CHANGE)}, Setting()),
    "10 whole lists beside 500 pages of one": (
        TEN,
        {**steady(TEN, Steady(*LIST)), "greedy": Greedy(500)},
        Setting(),
    ),
    "10 callers beside one that asks 500 times and leaves": (
        TEN,
        {**steady(TEN), "leaving": Leaving(500)},
        Setting(seconds=8),  # it asks 5,000 times a second
    ),
    "10 callers beside 20 with bursts, Stripe refusing 2 %": (
        TEN,
        {**steady(TEN), **{f"burst {number}": Bursts(20, 10) for number in range(20)}},
        Setting(refused=0.02),
    ),
    "the same in test mode, 20 a second in all": (
        TEN,
        {**steady(TEN), **{f"burst {number}": Bursts(20, 10) for number in range(20)}},
        Setting(account=20, each_caller=20, refused=0.02),
    ),
}
