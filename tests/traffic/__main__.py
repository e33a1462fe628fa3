"""`python -m tests.traffic`: simulates each scenario and prints who got what."""

import asyncio
import time

from tests.doubles.virtual_time import VirtualTimeLoop
from tests.traffic.scenarios import SCENARIOS
from tests.traffic.simulator import ENDPOINTS, fairness, simulate


def main() -> None:
    print("| a minute of | fairness of those looked at | their worst wait | most in a second, account / endpoint |")
    print("|---|---|---|---|")
    began = time.perf_counter()
    for name, (looked_at, callers, setting) in SCENARIOS.items():
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            outcome = runner.run(simulate(setting, callers))
        index = fairness(outcome.calls_of(looked_at))
        endpoint = max(map(outcome.most_in_a_second, ENDPOINTS))
        worst = outcome.worst_wait(looked_at)
        print(f"| {name} | {index:.3f} | {worst:.2f} s | {outcome.most_in_a_second()} / {endpoint} |")
    print(f"\n{len(SCENARIOS)} minutes in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
