"""The cells of the matrix: what each runs, and what it needs of the machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.demo import install, redis_program, tools
from deploy.demo.stack import Stack, running_stack
from tests.matrix import customers, databases
from tests.matrix.claims import Claim, Findings
from tests.matrix.features import features
from tests.matrix.main_job import main_job, version_of
from tests.matrix.nodes import two_nodes
from tests.matrix.pythons import every_python, newest_dependencies
from tests.matrix.unlicensed import unlicensed
from tests.matrix.users import users

_LOCKS = Path(__file__).parent / "directus"
_OLDEST = _LOCKS / "11.8"
# Password hashes are cheap and logins are not delayed, which by default costs half a second each.
# A Directus that a busy machine slows down does not refuse requests because of its own load.
_CHEAP = {
    "HASH_MEMORY_COST": "1024",
    "HASH_TIME_COST": "2",
    "LOGIN_STALL_TIME": "0",
    "PRESSURE_LIMITER_ENABLED": "false",
}


@dataclass(frozen=True, slots=True)
class Need:
    """A program that a cell needs. `meet` installs it, or raises Fault with one line for each missing thing."""

    name: str
    is_met: Callable[[], bool]
    meet: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Cell:
    """`run` gets an empty folder. A `quick` cell is part of every run of the checks, where its needs are met."""

    name: str
    what: str
    run: Callable[[Path], Findings]
    needs: tuple[Need, ...]
    quick: bool = False


def _directus(lock: Path) -> Need:
    def meet() -> None:
        tools.require(directus=not install.is_installed(lock), packages=False)
        install.directus(lock)

    return Need(f"Directus of {lock.name}", partial(install.is_installed, lock), meet)


_NGINX = Need("nginx", lambda: tools.find("nginx") is not None, lambda: tools.from_debian("nginx", "nginx-light"))
_POSTGRESQL = Need("PostgreSQL", lambda: databases.postgresql_programs() is not None, databases.install_postgresql)
_REDIS = Need("Redis", redis_program.is_installed, redis_program.install)
_DEMO = (_NGINX, _directus(install.DEMO))


async def _licensed(state: Path, lock: Path = install.DEMO) -> Findings:
    async with running_stack(state, lock=lock, directus_settings=_CHEAP) as stack:
        async for finding in _everything(stack):
            yield finding


async def _on_postgresql(state: Path) -> Findings:
    yield databases.postgresql_version()
    async with databases.postgresql() as database:
        settings = {**_CHEAP, **database}
        async with running_stack(state, directus_settings=settings, prepare=customers.with_uuids) as stack:
            keys = [row["id"] for row in await stack.admin.request("GET", "/items/customers?fields=id")]
            yield Claim("the items' keys are UUIDs", {36}, set(map(len, map(str, keys))))
            async for finding in _everything(stack):
                yield finding


async def _on_users(state: Path) -> Findings:
    async with running_stack(state, directus_settings=_CHEAP) as stack:
        yield await version_of(stack)
        async for claim in users(stack):
            yield claim


async def _everything(stack: Stack) -> Findings:
    yield await version_of(stack)
    for claims in (main_job(stack), features(stack)):
        async for claim in claims:
            yield claim


def _unlicensed(version: str, what: str) -> Cell:
    lock = _LOCKS / version
    return Cell(f"directus-{version}", what, partial(unlicensed, lock=lock, cheap=_CHEAP), (_NGINX, _directus(lock)))


CELLS: Mapping[str, Cell] = {
    cell.name: cell
    for cell in (
        Cell(
            "directus-11.8",
            "the oldest Directus that is promised, on SQLite",
            partial(_licensed, lock=_OLDEST),
            (_NGINX, _directus(_OLDEST)),
        ),
        Cell("directus-11.17", "the demo's Directus, on SQLite", _licensed, _DEMO),
        _unlicensed("12.3", "a Directus 12 without a license, on SQLite"),
        _unlicensed("12.4", "the newest Directus that installs, without a license, on SQLite"),
        Cell(
            "postgresql",
            "the demo's Directus on PostgreSQL, with UUIDs as keys of the items",
            _on_postgresql,
            (*_DEMO, _POSTGRESQL),
            quick=True,
        ),
        Cell(
            "two-nodes",
            "two nodes of it behind nginx, with one PostgreSQL and one Redis",
            partial(two_nodes, cheap=_CHEAP),
            (*_DEMO, _POSTGRESQL, _REDIS),
        ),
        Cell("users", "`directus_users` as the customers collection", _on_users, _DEMO),
        Cell("pythons", "the unit tests on each Python from 3.11 on that is installed", every_python, ()),
        Cell(
            "newest",
            "the unit tests and the demo with the newest dependencies that `pyproject.toml` allows",
            newest_dependencies,
            _DEMO,
        ),
    )
}
