"""The rows of the table, in the order in which they are measured."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.peers import Peers, Size
from tests.benchmarks.speed import costs, dashboards, lists, members, pages
from tests.benchmarks.speed.outcome import Seen


@dataclass(frozen=True, slots=True)
class Ground:
    """`state` is a folder for files."""

    peers: Peers
    size: Size
    state: Path


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    run: Callable[[Ground], Awaitable[Seen]]


ROWS = {
    1: Row("same page of 100 customers, one caller", lambda on: pages.one_caller(on.peers, on.size)),
    2: Row("same page of 100 customers, 16 callers", lambda on: pages.same_page(on.peers, on.size)),
    3: Row("page of 100 customers, nothing shared", lambda on: pages.own_pages(on.peers, on.size)),
    4: Row("page of 100 payments, nothing shared", lambda on: pages.own_payments(on.peers, on.size)),
    5: Row("same page of 100 payments, 16 callers", lambda on: pages.same_payments(on.peers, on.size)),
    6: Row("same whole list of one page", lambda on: pages.same_list(on.peers, on.size)),
    7: Row("whole list of one page, nothing shared", lambda on: pages.own_lists(on.peers, on.size)),
    8: Row("pages of a member with 3 customers", lambda on: members.pages(on.peers, on.size)),
    9: Row("10,000 payments, no latency", lambda on: lists.fast_account(on.peers, on.size)),
    10: Row("10,000 payments at 60 ms", lambda on: lists.slow_account(on.peers, on.size, on.state)),
    11: Row("whole lists of few pages", lambda on: lists.short_lists(on.peers, on.size, on.state)),
    12: Row("memory", lambda on: costs.memory(on.peers, on.size, on.state)),
    13: Row("gate", lambda on: costs.gate(on.peers, on.size)),
    14: Row("looking for secrets", lambda on: costs.looking(on.size)),
    15: Row("start", lambda on: costs.start(on.peers, on.size)),
}
if dashboards.there_is_a_read_cache():
    ROWS[16] = Row("a dashboard of 100 clerks", lambda on: dashboards.refreshed(on.peers, on.size))
