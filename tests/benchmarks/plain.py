"""Plain paging: page after page as bytes, parsed only for the next cursor. Prints its figures as JSON.

python -m tests.benchmarks.plain URL

`first` is seconds until the first page, `total` until the last, `cpu` this process's own, without its start.
"""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit

import orjson


def main(url: str) -> dict[str, float]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=300)
    began, used = time.perf_counter(), time.process_time()
    page = _page(connection, f"{parts.path}?limit=100")
    first, objects, requests = time.perf_counter() - began, len(page["data"]), 1
    while page["has_more"]:
        page = _page(connection, f"{parts.path}?limit=100&starting_after={page['data'][-1]['id']}")
        objects, requests = objects + len(page["data"]), requests + 1
    total, cpu = time.perf_counter() - began, time.process_time() - used
    return {"first": first, "total": total, "cpu": cpu, "objects": objects, "requests": requests}


def _page(connection: http.client.HTTPConnection, target: str) -> dict[str, list[dict[str, str]]]:
    connection.request("GET", target, headers={"Authorization": "Bearer sk_test_benchmark"})
    page: dict[str, list[dict[str, str]]] = orjson.loads(connection.getresponse().read())
    return page


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
