"""The service conforms to its own description: schemathesis sends valid and invalid requests."""

import asyncio
import sys
from pathlib import Path

from sidecar.core.operations.table import OPERATIONS
from tests.doubles.running_app import CLERK, RunningApp

_EXAMPLES = "4"
# A header or an address that is too long is rejected too, by the server before the service reads it.
_REJECTED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "431", "5xx"]
# OpenAPI cannot say that an object must exist, or that one parameter excludes another.
_UNDECIDABLE = "positive_data_acceptance"


async def test_schemathesis_finds_nothing(app: RunningApp, tmp_path: Path) -> None:
    """There is no server error, no undescribed status, body or header, no accepted invalid input, no other method."""
    for _ in range(3):
        app.stripe.add_payments(2, customer=app.stripe.add_customer(email="a@b.co")["id"])
    prefix = f"http://127.0.0.1:{app.port}/stripe"
    app.tokens.add(CLERK.token)
    config = f"[checks.negative_data_rejection]\nexpected-statuses = {_REJECTED}\n"
    (tmp_path / "schemathesis.toml").write_text(config)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{prefix}/openapi.json", "--url", prefix),
        *("--header", f"Authorization: Bearer {CLERK.token}", "--checks", "all"),
        *("--exclude-checks", _UNDECIDABLE, "--max-examples", _EXAMPLES, "--generation-deterministic", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert f"Tested: {len(OPERATIONS)}\n".encode() in output
