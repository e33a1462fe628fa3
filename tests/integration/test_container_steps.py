"""What the images hold and how they run, by the Dockerfile's own steps."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.doubles import loaded
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import Program, serving_as, started_as
from tests.doubles.stripe import StripeDouble
from tests.integration.container_steps import Stage, build, ignored


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Stage]]:
    folder = tmp_path_factory.mktemp("images")
    yield build(folder)
    shutil.rmtree(folder)


@pytest.fixture
def image(images: Mapping[str, Stage]) -> Stage:
    """The image that is built if no target is named."""
    return list(images.values())[-1]


def tree(stage: Stage) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in stage.root.rglob("*")}


def healthy(stage: Stage, env: dict[str, str]) -> bool:
    command = json.loads(stage.said["HEALTHCHECK"].partition("CMD ")[2])
    return subprocess.run(command, env=env, check=False, capture_output=True).returncode == 0  # noqa: S603 - the Dockerfile's own command


@pytest.fixture
def env(image: Stage, tmp_path: Path) -> dict[str, str]:
    """Give the image's variables, and those that an operator must set; Directus is down."""
    (tmp_path / "key").write_text("sk_test_made_up\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return image.environment() | {
        "DIRECTUS_URL": "http://127.0.0.1:9",
        "STRIPE_CUSTOMERS_COLLECTION": "customers",
        "STRIPE_LIVE_SECRET_KEY_FILE": str(tmp_path / "key"),
        "SIDECAR_HOST": "127.0.0.1",
        "SIDECAR_PORT": str(port),
    }


def test_image_serves_and_stops(image: Stage, env: dict[str, str]) -> None:
    """The entry point becomes healthy while Directus is down, writes no file, and ends on SIGTERM with 0 (L4, L6)."""
    before = tree(image)
    command = json.loads(image.said["ENTRYPOINT"])
    deadline = time.monotonic() + 120

    with subprocess.Popen(command, cwd=image.path("."), env=env) as process:  # noqa: S603 - the Dockerfile's own command
        try:
            while not healthy(image, env) and process.poll() is None and time.monotonic() < deadline:
                pass
            was_healthy = healthy(image, env)
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=120)
        finally:
            process.kill()

    assert was_healthy
    assert status == 0
    assert tree(image) == before
    assert not healthy(image, env)


def test_image_refuses_bad_settings(image: Stage, env: dict[str, str]) -> None:
    """Without its settings the entry point ends with 2, and names each missing one (L5)."""
    command = json.loads(image.said["ENTRYPOINT"])
    wanted = {"DIRECTUS_URL", "STRIPE_CUSTOMERS_COLLECTION", "STRIPE_LIVE_SECRET_KEY"}
    bare = {name: value for name, value in env.items() if name.removesuffix("_FILE") not in wanted}

    ended = subprocess.run(  # noqa: S603 - the Dockerfile's own command
        command, cwd=image.path("."), env=bare, check=False, capture_output=True, text=True, timeout=120
    )

    assert ended.returncode == 2
    assert all(name in ended.stderr for name in wanted)


async def test_image_does_all_its_work(
    image: Stage, directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """D1: With the packages of the serving lock alone every kind of request is answered, and each command begins."""
    program = Program(json.loads(image.said["ENTRYPOINT"]), image.path("."))
    given = {**image.environment(), **loaded.variables(directus, stripe), "SIDECAR_HOST": "127.0.0.1"}
    async with serving_as(program, tmp_path / "serving", **given) as sidecar:
        statuses = await loaded.work(sidecar, directus, stripe)
        sidecar.terminate()
        assert await sidecar.exit_code() == 0
        imported = loaded.imported(sidecar.said())
    for command in ("check", "reconcile", "link"):
        async with started_as(program, tmp_path / command, command, **given) as process:
            await process.exit_code()
            assert "Traceback" not in process.said()

    assert statuses == loaded.STATUSES
    assert imported & loaded.UNWANTED == set()


def test_provision_has_an_image_of_its_own(images: Mapping[str, Stage], env: dict[str, str]) -> None:
    """D1: The target `setup` provisions without being told to; the serving image says in one line that it cannot."""
    ended = {}
    for target in ("setup", "serving"):
        stage = images[target]
        command = [*json.loads(stage.said["ENTRYPOINT"]), "provision"]
        given = {**env, **stage.environment(), "DIRECTUS_ADMIN_TOKEN": "made-up"}
        ended[target] = subprocess.run(  # noqa: S603 - the Dockerfile's own command
            command, cwd=stage.path("."), env=given, check=False, capture_output=True, text=True, timeout=120
        )

    assert json.loads(images["setup"].said["CMD"]) == ["provision"]
    assert (ended["setup"].returncode, ended["setup"].stderr) == (1, "")
    assert "Directus could not be asked" in ended["setup"].stdout
    assert (ended["serving"].returncode, ended["serving"].stdout) == (2, "")
    assert len(ended["serving"].stderr.splitlines()) == 1


def test_what_setting_up_needs_is_not_in_the_serving_image(images: Mapping[str, Stage], image: Stage) -> None:
    """D1: No module of the SDK, of another HTTP client or of a DNS resolver is in the default image, nor pip's."""
    packages = {
        name: {path.name for root in ("venv", "usr") for path in (stage.root / root).rglob("*")}
        for name, stage in images.items()
    }

    assert image is images["serving"]
    assert packages["serving"] & (loaded.UNWANTED | {"pip", "ensurepip"}) == set()
    assert packages["setup"] >= {"directus_sdk_py", "requests", "sqlparse"}
    assert packages["setup"] & {"pip", "ensurepip"} == set()


def test_image_holds_only_what_it_runs(image: Stage) -> None:
    """The image contains the compiled package and its imports, and nothing that installs more."""
    [packages] = image.path("/venv/lib").glob("*/site-packages")

    assert sorted(p.name for p in image.path(".").iterdir()) == ["LICENSE", "sidecar"]
    assert list(image.path("sidecar/__pycache__").glob("__main__.*.pyc"))
    assert (packages / "aiohttp").is_dir()
    assert not (packages / "setuptools").exists()
    assert not list(image.root.rglob("site-packages/pip"))


def test_image_runs_as_a_number_and_listens_outside(image: Stage) -> None:
    """The image names a numeric user other than root, and listens on all interfaces."""
    uid = int(image.said["USER"].partition(":")[0])

    assert uid > 0
    assert image.env["SIDECAR_HOST"] == "0.0.0.0"  # noqa: S104 - a container's own address
    assert image.said["EXPOSE"] == "8080"


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".git/config",
        "deploy/secrets/key",
        "tests/requirements.txt",
        "sidecar/__pycache__/a.pyc",
        "sidecar/core/__pycache__",
    ],
)
def test_build_context_is_closed(name: str) -> None:
    """Files that the image does not need are not in the build context."""
    assert ignored(Path(name))
