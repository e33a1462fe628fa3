"""The stripe library's own way to read a list: typed objects, page after page.

python -m tests.benchmarks.library STRIPE_URL

Prints seconds as JSON, of which `cpu` are the processor's for this process.
"""

import asyncio
import json
import sys
import time

import aiohttp
import stripe


async def main(base: str) -> None:
    async with aiohttp.ClientSession() as session:
        client = stripe.StripeClient(
            "sk_test_benchmark",
            base_addresses={"api": base},
            http_client=stripe.AIOHTTPClient(session=session),
        )
        began, used = time.perf_counter(), time.process_time()
        page = await client.v1.payment_intents.list_async({"limit": 100})
        first = time.perf_counter() - began
        number = len([payment async for payment in page.auto_paging_iter()])
        total, cpu = time.perf_counter() - began, time.process_time() - used
        print(json.dumps({"first": first, "total": total, "cpu": cpu, "objects": number}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
