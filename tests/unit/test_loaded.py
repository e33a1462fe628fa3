"""What the serving process loads where everything is installed, as in this environment."""

from pathlib import Path

import pytest

from tests.doubles import loaded
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import serving
from tests.doubles.stripe import StripeDouble

pytestmark = pytest.mark.process


async def test_serving_loads_nothing_that_setting_up_needs(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """S4: whatever it is asked for, the process never imports the SDK or another HTTP client, even if installed."""
    async with serving(tmp_path / "output", **loaded.variables(directus, stripe)) as sidecar:
        statuses = await loaded.work(sidecar, directus, stripe)
        sidecar.terminate()
        assert await sidecar.exit_code() == 0
        imported = loaded.imported(sidecar.said())

    assert statuses == [200, 200, 201, 400, 200, 200, 200, 200]
    assert imported >= {"sidecar", "aiohttp", "stripe", "email_validator"}
    assert imported & loaded.UNWANTED == set()
