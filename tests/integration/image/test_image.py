"""The image itself, as buildah builds it from the Dockerfile, running as Kubernetes would run it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo import tools
from tests.absent import left_out
from tests.doubles.process import Sidecar, serving_as, started_as
from tests.integration.image import base
from tests.integration.image.building import Image, build, roomy

MOST = 100.0  # megabytes that the Dockerfile may add to its base; 79 in December 2026
GIVEN = {
    "DIRECTUS_URL": "http://127.0.0.1:9",
    "STRIPE_CUSTOMERS_COLLECTION": "customers",
    "STRIPE_LIVE_SECRET_KEY": "sk_test_made_up",
    "SHUTDOWN_DELAY": "0",
}
NOTHING = "0000000000000000"
READ_ONLY = 30  # EROFS, linux/errno-base.h


def missing() -> str | None:
    """Say in a line what this machine lacks to build an image and to run it."""
    absent = [program for program in ("buildah", "mmdebstrap") if not tools.find(program)]
    if absent:
        return f"{' and '.join(absent)} not installed, so the image is not built"
    may_mount = [sys.executable, "-c", "from tests.integration.image.contained import enter_own_mounts as e; e()"]
    if subprocess.run(may_mount, check=False, capture_output=True, cwd=base.ROOT).returncode:  # noqa: S603 - a line of our own
        return "this user may not have mounts of its own, so the image is not built (root with CAP_SYS_ADMIN may)"
    return None


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if why := missing():
        left_out(why)
    with tempfile.TemporaryDirectory(dir=roomy(tmp_path_factory.mktemp("image"))) as folder:
        yield build(Path(folder))


def files(image: Image) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in image.root.rglob("*")}


def state(sidecar: Sidecar) -> dict[str, str]:
    """Give what the kernel says of the process."""
    lines = Path(f"/proc/{sidecar.process.pid}/status").read_text().splitlines()
    return {name: " ".join(value.split()) for name, _, value in (line.partition(":") for line in lines)}


async def test_it_serves_as_nobody_and_ends(image: Image, tmp_path: Path) -> None:
    """It answers /healthz as user 65532 without any capability, writes no file, and ends on SIGTERM with 0 (L4, L6)."""
    before = files(image)
    env = image.environment | GIVEN
    async with serving_as(image.running(), tmp_path / "serving", **env) as sidecar:
        answer = await sidecar.call("/healthz")
        of_kernel = state(sidecar)
        checked = image.config["Healthcheck"]["Test"]
        port = {"SIDECAR_PORT": str(sidecar.port)}
        async with started_as(image.running(*checked[1:]), tmp_path / "healthy", **env, **port) as check:
            healthy = await check.exit_code()
        sidecar.terminate()
        ended = await sidecar.exit_code()
        async with started_as(image.running(*checked[1:]), tmp_path / "ill", **env, **port) as check:
            ill = await check.exit_code()

    assert (answer.status, checked[0], healthy, ended, ill) == (200, "CMD", 0, 0, 1)
    assert (of_kernel["Uid"], of_kernel["Gid"]) == ("65532 65532 65532 65532", "65532 65532 65532 65532")
    assert {of_kernel[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {NOTHING}
    assert (of_kernel["NoNewPrivs"], of_kernel["Groups"]) == ("1", "")
    assert files(image) == before


async def test_its_root_cannot_be_written(image: Image, tmp_path: Path) -> None:
    """Nothing in the image can be written where it runs, /tmp included."""
    for place in ("/tmp", "/app", "/venv"):  # noqa: S108 - the image's own
        asked = f"import os; os.open('{place}/file', os.O_CREAT | os.O_WRONLY)"
        async with started_as(image.running("python", "-c", asked), tmp_path / "said", **image.environment) as process:
            await process.exit_code()

            assert f"[Errno {READ_ONLY}] {os.strerror(READ_ONLY)}: '{place}/file'" in process.said()


async def test_its_commands_begin(image: Image, tmp_path: Path) -> None:
    """`check` runs to its end, and what the settings lack is said with the exit code 2."""
    for given, code in ((GIVEN, 1), ({}, 2)):
        async with started_as(
            image.running("python", "-m", "sidecar", "check"), tmp_path / "said", **image.environment, **given
        ) as process:
            assert await process.exit_code() == code
            assert "Traceback" not in process.said()


def test_what_an_engine_reads(image: Image) -> None:
    """User, port, entry point, variables and labels stand in the image's configuration."""
    config = image.config

    assert (config["User"], list(config["ExposedPorts"])) == ("65532:65532", ["8080/tcp"])
    assert (config["WorkingDir"], config["Entrypoint"]) == ("/app", ["python", "-m", "sidecar"])
    assert image.environment["SIDECAR_HOST"] == "0.0.0.0"  # noqa: S104 - a container's own address
    assert config["Labels"]["org.opencontainers.image.title"] == "directus-stripe-sidecar"


def test_it_is_small(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    """What is added to the base is bounded: the package and its libraries, with nothing that installs more."""
    with capsys.disabled():
        print(f"\nThe image adds {image.megabytes:.0f} MB to its base")
    found = {path.name for path in image.root.rglob("*")}

    assert image.megabytes < MOST
    assert found & {"pip", "ensurepip", "setuptools", "directus_sdk_py", "tests", ".git", ".env"} == set()
    assert sorted(path.name for path in (image.root / "app").iterdir()) == ["LICENSE", "sidecar"]
