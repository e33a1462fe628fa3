"""What the processes load where everything is installed, as in this environment, and whom they talk to."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import children
from tests.doubles import loaded
from tests.doubles.directus import DirectusDouble
from tests.doubles.eavesdropper import eavesdropping
from tests.doubles.process import ROOT, serving, started
from tests.doubles.stripe import StripeDouble

pytestmark = pytest.mark.process


async def test_serving_loads_nothing_that_setting_up_needs(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """D1: the process never imports the SDK or another HTTP client, nor what is not configured, even if installed."""
    async with serving(tmp_path / "output", **loaded.variables(directus, stripe)) as sidecar:
        statuses = await loaded.work(sidecar, directus, stripe)
        sidecar.terminate()
        assert await sidecar.exit_code() == 0
        imported = loaded.imported(sidecar.said())

    assert statuses == loaded.STATUSES
    assert imported >= {"sidecar", "aiohttp", "stripe", "email_validator"}
    assert imported & (loaded.UNWANTED | loaded.UNUSED) == set()


@pytest.mark.parametrize(
    "command", [["check"], ["reconcile", "--dry-run"], ["link"]], ids=["check", "reconcile", "link"]
)
async def test_commands_of_the_serving_image_load_it_neither(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path, command: list[str]
) -> None:
    """D1: what runs beside the live key too does without the SDK and other HTTP clients."""
    async with started(tmp_path / "output", *command, **loaded.variables(directus, stripe)) as process:
        await process.exit_code()
        imported = loaded.imported(process.said())

    assert [request for request in stripe.requests if request.path == "/v1/customers"]
    assert imported >= {"sidecar", "aiohttp", "stripe"}
    assert imported & loaded.UNWANTED == set()


async def test_no_proxy_of_the_environment_is_used(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """D2: whatever variable names a proxy, the service and its commands send it neither a token nor the key."""
    async with eavesdropping() as proxy:
        given = {**loaded.variables(directus, stripe), **proxy.environment}
        async with serving(tmp_path / "serving", **given) as sidecar:
            statuses = await loaded.work(sidecar, directus, stripe)
        for command in (["check"], ["reconcile", "--dry-run"], ["link"]):
            async with started(tmp_path / command[0], *command, **given) as process:
                await process.exit_code()

    assert statuses == loaded.STATUSES
    assert proxy.heard == []


async def test_without_the_extra_provision_says_what_is_missing() -> None:
    """D1: where the SDK is not installed `provision` ends with one line that names the extra and the image's target."""
    hide = "import sys; sys.modules['directus_sdk_py'] = None; from sidecar.__main__ import main; sys.exit(main())"
    process = await children.spawn(
        [sys.executable, "-c", hide, "provision"], cwd=ROOT, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()

    [line] = err.decode().splitlines()
    assert (process.returncode, out) == (2, b"")
    assert "directus_sdk_py" in line
    assert ".[setup]" in line
    assert "target setup" in line
