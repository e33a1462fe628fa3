"""Imports go in one direction, so the architecture stays as the contract in pyproject.toml states it."""

import ast
import sys
from pathlib import Path

import pytest
from importlinter import configuration
from importlinter.application import use_cases

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "sidecar").rglob("*.py"))
}
TEXTS = {"msgspec", "orjson", "pydantic"}  # they read and write texts, and reach nothing outside
WITHOUT_THE_WORLD = {"asyncio", "os", "time", "socket", "subprocess", "threading", "urllib", "http"}


def imported(module: str) -> set[str]:
    """Name everything that a module imports, `from a import b` as both `a` and `a.b`, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def inside(package: str) -> list[str]:
    return [module for module in MODULES if within({module}, package)]


def test_the_contract() -> None:
    """App -> web, clients -> core -> errors, as pyproject.toml states it."""
    configuration.configure()  # as its command line does, which would also switch off all other loggers

    assert use_cases.lint_imports(str(ROOT / "pyproject.toml"), cache_dir=None, no_logo=True)


@pytest.mark.parametrize(("here", "there"), [("sidecar.web", "sidecar.clients"), ("sidecar.clients", "sidecar.web")])
def test_web_and_clients_never_meet(here: str, there: str) -> None:
    """`web` and `clients` do not import each other."""
    assert {module: found for module in inside(here) if (found := within(imported(module), there))} == {}


@pytest.mark.parametrize("module", inside("sidecar.core"))
def test_core_decides_and_nothing_else(module: str) -> None:
    """Core imports core, errors, and those libraries, mostly parts of the standard one, that reach nothing outside."""
    names = imported(module)
    ours = set().union(*(within(names, f"sidecar.{part}") for part in ("core", "errors", "outcome")))
    plain = within(names, "urllib.parse") | ({"http"} if "http.HTTPStatus" in names else set()) | {"http.HTTPStatus"}
    others = {name.partition(".")[0] for name in names - ours - plain}

    assert others <= sys.stdlib_module_names - WITHOUT_THE_WORLD | TEXTS


@pytest.mark.parametrize("module", inside("sidecar.core"))
def test_core_reads_no_clock(module: str) -> None:
    """Core may write a given moment as a text, but never asks what time it is."""
    named = {node.attr for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Attribute)}

    assert named.isdisjoint({"now", "today", "utcnow"})


@pytest.mark.parametrize("module", ["sidecar.errors", "sidecar.logs"])
def test_the_lowest_modules_import_no_others(module: str) -> None:
    """Errors and logs are below all other modules."""
    assert within(imported(module), "sidecar") == set()


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("stripe", ("sidecar.clients.stripe", "sidecar.settings.stripe_parameters")),
        ("aiohttp.web", ("sidecar.web.", "sidecar.app", "sidecar.serving", "sidecar.reloading", "sidecar.traces")),
        ("opentelemetry", ("sidecar.clients.otlp",)),
        ("directus_sdk_py", ("sidecar.commands.administrator",)),
        ("requests", ()),
        (
            "cachetools",
            (
                "sidecar.clients.directus.caller_keys",
                "sidecar.clients.directus.permission_memory",
                "sidecar.clients.directus.token_users",
                "sidecar.clients.stripe.event_listener",
                "sidecar.clients.stripe.recent_answers",
                "sidecar.clients.lists.shapes",
                "sidecar.web.admission.remembered",
                "sidecar.web.requests.queries",
            ),
        ),
        ("pydantic_settings", ("sidecar.settings",)),
        ("dotenv", ("sidecar.settings.env_file",)),
        ("redis", ("sidecar.clients.redis", "sidecar.commands.check_redis")),
        ("cryptography", ("sidecar.clients.redis.names",)),
    ],
)
def test_a_library_has_its_place(library: str, homes: tuple[str, ...]) -> None:
    """A foreign library is imported in one place, where a reviewer finds all its uses."""
    users = [module for module in MODULES if within(imported(module), library)]

    assert [module for module in users if not module.startswith(homes)] == []


def test_nothing_blocks_where_requests_are_served() -> None:
    """The set-up commands block, so no module that serves requests imports them; only the command line does."""
    for module in MODULES:
        if not module.startswith(("sidecar.commands", "sidecar.__main__")):
            assert within(imported(module), "sidecar.commands") == set(), module
