"""`./tests/run.sh fuzz [--requests N] [--seed S]`: mutated requests to the real process between the doubles.

    people, world     who asks, and what the upstreams have        upstreams      judges requests to the upstreams
    seeds, mutations  valid requests, and their changes            exchanges      judges answers
    generator         the request of a number                      service_log    judges what the process prints
    client, answers   bytes there and back                         truth          what a caller may cause
    run, trouble      the run, and upstreams that fail             reached        which operations were reached

First both upstreams are healthy, then each fails now and then. Prints a table of operations by status for each, and
each finding with the request's bytes; `--only NUMBER` sends that request again, and leaves out mutations that the
finding does not need. The exit code is 1 if there is a finding, or if an operation was never reached with success.
"""

import argparse
import asyncio
import datetime as dt
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.demo.progress import say
from tests.fuzz.generator import Generator, Sent
from tests.fuzz.reached import never_successful, table
from tests.fuzz.run import Run, running

_INTERRUPTED = 130


def main() -> int:
    options = _options()
    try:
        if options.only is not None:
            return asyncio.run(_again(Generator(options.seed), options.only, trouble=options.trouble))
        return asyncio.run(_whole(Generator(options.seed), options.requests))
    except KeyboardInterrupt:
        return _INTERRUPTED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/run.sh fuzz")
    parser.add_argument("--requests", type=int, default=20_000, help="a fifth of them while the upstreams fail")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="send the request of this number alone")
    parser.add_argument("--trouble", action="store_true", help="with --only: while the upstreams fail")
    return parser.parse_args()


async def _whole(generator: Generator, number: int) -> int:
    calm = range(number - number // 5)
    failed = False
    for trouble, numbers in ((False, calm), (True, range(len(calm), number))):
        say(f"{len(numbers)} requests with seed {generator.seed}, upstreams {'failing' if trouble else 'healthy'}")
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            async with running(Path(folder), generator.seed, trouble=trouble) as run:
                await run.all(generator.request(each) for each in numbers)
            failed |= _report(run, numbers, generator)
    return int(failed)


def _report(run: Run, numbers: Sequence[int], generator: Generator) -> bool:
    print(f"\n{table(run.reached)}\n\n{_summary(run, numbers, generator)}")
    missed = [] if run.trouble else never_successful(run.reached)
    for name in missed:
        print(f"never reached with success: {name}")
    for finding in run.findings.kept:
        print("\n".join(finding.told()))
    return bool(missed or run.findings.number)


def _summary(run: Run, numbers: Sequence[int], generator: Generator) -> str:
    statuses = ", ".join(f"{count} x {status or 'none'}" for status, count in sorted(run.statuses.items()))
    return (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, upstreams {'failing' if run.trouble else 'healthy'}: "
        f"{sum(run.statuses.values())} requests (numbers {numbers[0]} to {numbers[-1]}, seed {generator.seed}) in "
        f"{run.seconds:.0f} s; {run.upstreams.total} requests to Stripe; {run.log.lines} log lines; "
        f"answers: {statuses}; {run.findings.number} findings"
    )


async def _again(generator: Generator, number: int, *, trouble: bool) -> int:
    """Send one request again, then without each mutation that its findings do not need."""
    needless: frozenset[int] = frozenset()
    rules = await _rules(generator.request(number), generator.seed, trouble=trouble)
    for place in range(len(generator.request(number).told)):
        without = needless | {place}
        if rules and rules <= await _rules(generator.request(number, without), generator.seed, trouble=trouble):
            needless = without
    sent = generator.request(number, needless)
    print(f"{sorted(rules) or 'nothing found'}; {sent.draft.seed} with {', '.join(sent.told) or 'no mutation'}")
    print(repr(sent.data))
    return int(bool(rules))


async def _rules(sent: Sent, seed: int, *, trouble: bool) -> set[str]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        async with running(Path(folder), seed, trouble=trouble) as run:
            await run.all([sent])
        return {finding.rule for finding in run.findings.kept}


if __name__ == "__main__":
    sys.exit(main())
