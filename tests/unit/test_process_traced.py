"""The process with tracing: its start, its log, and its end."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import children
from tests.doubles.collector import CollectorDouble
from tests.doubles.directus import DirectusDouble
from tests.doubles.process import ROOT, serving
from tests.doubles.running_app import CLERK, bearer, environment
from tests.doubles.server import full_backlog
from tests.doubles.stripe import StripeDouble
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.process
PAGE = "/stripe/payments?limit=1"


async def test_last_spans_are_sent_at_the_end(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """Spans that wait for their batch are sent before the process ends, and every line of a request names its trace."""
    async with (
        CollectorDouble.running() as collector,
        serving(
            tmp_path / "output",
            **environment(directus.url, stripe.url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url),
            OTEL_SERVICE_NAME="shop",
            OTEL_BSP_SCHEDULE_DELAY="600000",
        ) as sidecar,
    ):
        created = await sidecar.call(
            "/stripe/customers",
            bearer(CLERK.token),
            ("Content-Type", "application/json"),
            method="POST",
            body=b'{"email": "ada@example.com"}',
        )
        sidecar.terminate()
        assert (created.status, await sidecar.exit_code()) == (201, 0)
        lines = [json.loads(line) for line in sidecar.said().splitlines()]

    span = collector.named("POST /stripe/customers")
    assert collector.resource["service.name"] == "shop"
    traced = {line["logger"]: line["trace_id"] for line in lines if "trace_id" in line}
    assert traced == {"sidecar.audit": span.trace_id, "sidecar.access": span.trace_id}


async def test_a_dead_collector_does_not_keep_the_process(
    directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path
) -> None:
    """A collector that takes no connection is named in the log at most once, and the process ends within seconds."""
    async with (
        full_backlog() as nowhere,
        serving(
            tmp_path / "output", **environment(directus.url, stripe.url, OTEL_EXPORTER_OTLP_ENDPOINT=nowhere)
        ) as sidecar,
    ):
        assert (await sidecar.call(PAGE, bearer(CLERK.token))).status == 200
        loop = asyncio.get_running_loop()
        began = loop.time()
        sidecar.terminate()

        assert await sidecar.exit_code() == 0
        assert loop.time() - began < 9  # the SDK would wait 30, and the exporter 10


async def test_a_collector_that_refuses(directus: DirectusDouble, stripe: StripeDouble, tmp_path: Path) -> None:
    """A collector that answers with an error is named in one line, with its status and without the headers for it."""
    async with (
        DirectusDouble.running() as other,  # a server that has no such route
        serving(
            tmp_path / "output",
            **environment(
                directus.url,
                stripe.url,
                OTEL_EXPORTER_OTLP_ENDPOINT=other.url,
                OTEL_EXPORTER_OTLP_HEADERS="api-key=MARKED-collector",
            ),
            OTEL_BSP_SCHEDULE_DELAY="10",
        ) as sidecar,
    ):
        await sidecar.call(PAGE, bearer(CLERK.token))
        await eventually(lambda: "takes no spans" in sidecar.said())
        await sidecar.call(PAGE, bearer(CLERK.token))
        sidecar.terminate()
        await sidecar.exit_code()
        said = sidecar.said()

    [line] = [json.loads(line) for line in said.splitlines() if "takes no spans" in line]
    assert (line["reason"], line["collector"]) == ("404", f"127.0.0.1:{other.port}")
    assert "MARKED-collector" not in said


async def test_without_the_extra(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """A collector is named and OpenTelemetry is not installed: the start ends with a line that says how to mend it."""
    hide = "import sys; sys.modules['opentelemetry'] = None; from sidecar.__main__ import main; sys.exit(main())"
    variables = environment(directus.url, stripe.url, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    process = await children.spawn(
        [sys.executable, "-c", hide], cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()

    assert (process.returncode, out) == (2, b"")
    [head, line] = err.decode().splitlines()
    assert head == "The settings cannot be used:"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in line
    assert "[tracing]" in line
