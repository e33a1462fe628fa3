"""The benchmarks' programs work, each on a tiny scale. No figure is checked: timings depend on the machine."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.benchmarks import measures
from tests.benchmarks.peers import WITHOUT_LIMIT, relay, upstream
from tests.doubles.process import serving


async def test_pieces(tmp_path: Path) -> None:
    """The sidecar, the relay and the library read the stand-in's whole list; load and gate give figures."""
    async with (
        upstream(tmp_path, payments=250, customers=150) as stripe,
        relay(tmp_path, stripe.url) as bare,
        serving(
            tmp_path / "sidecar.log",
            DIRECTUS_URL=stripe.url,
            STRIPE_API_BASE=stripe.url,
            STRIPE_LIVE_SECRET_KEY="sk_test_benchmark",
            STRIPE_CUSTOMERS_COLLECTION="customers",
            **WITHOUT_LIMIT,
        ) as sidecar,
    ):
        ours = f"http://127.0.0.1:{sidecar.port}/stripe"
        page, relayed, array, lines, library, gate = await asyncio.gather(
            measures.program("load", f"{ours}/customers?limit=100", "token", "--seconds", "0.2"),
            measures.program("load", f"{bare.url}/v1/customers?limit=100", "token", "--seconds", "0.2"),
            measures.program("whole", f"{ours}/payments", "token"),
            measures.program("whole", f"{ours}/payments", "token", "--lines"),
            measures.program("library", stripe.url),
            measures.program("gate", stripe.url, "100"),
        )
        asked = int(await measures.get(f"{stripe.url}/count/v1/payment_intents"))

    assert page["requests"] > 0
    assert (page["failures"], relayed["failures"]) == (0, 0)
    assert [array["objects"], lines["objects"], library["objects"]] == [250] * 3
    assert gate["ms"] > 0
    assert asked >= 9


async def test_stand_in_against_plain_paging(tmp_path: Path) -> None:
    """The stand-in's filters agree with plain paging: a time range contains the objects that paging finds in it."""
    async with upstream(tmp_path, payments=250, customers=1) as stripe:
        pages = [await listed(stripe.url, "limit=100")]
        while pages[-1]["has_more"]:
            pages.append(await listed(stripe.url, f"limit=100&starting_after={pages[-1]['data'][-1]['id']}"))
        everything = [payment for page in pages for payment in page["data"]]
        since, until = everything[180]["created"], everything[90]["created"]
        part = await listed(stripe.url, f"limit=100&created[gte]={since}&created[lt]={until}")
        own = await listed(stripe.url, "limit=100&customer=cus_00000000000007")

    assert len(everything) == len({payment["id"] for payment in everything}) == 250
    assert part["data"] == [payment for payment in everything if since <= payment["created"] < until]
    assert own["data"] == [payment for payment in everything if payment["customer"] == "cus_00000000000007"]


async def listed(stripe: str, query: str) -> Any:  # noqa: ANN401 - a list object, in JSON
    return json.loads(await measures.get(f"{stripe}/v1/payment_intents?{query}"))
