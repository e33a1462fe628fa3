"""Reads one whole list, then parses it; with `--times` so many times, one after the other. Prints figures as JSON.

python -m tests.benchmarks.whole URL TOKEN [--lines] [--times N]

`first` is seconds until the first byte of the body, `total` until the last; of several times the median by `total`.
"""

import argparse
import http.client
import json
import time
from urllib.parse import urlsplit


def read(url: str, token: str, *, lines: bool) -> dict[str, float]:
    parts = urlsplit(url)
    accept = {"Accept": "application/x-ndjson"} if lines else {}
    connection = http.client.HTTPConnection(parts.netloc, timeout=300)
    began = time.perf_counter()
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers={"Authorization": f"Bearer {token}"} | accept)
    answer = connection.getresponse()
    body = bytearray(answer.read(1))
    first = time.perf_counter() - began
    while block := answer.read1(1 << 20):
        body += block
    total = time.perf_counter() - began
    objects = _count_named(body) if lines else len(json.loads(body))
    return {"first": first, "total": total, "objects": objects, "bytes": len(body)}


def _count_named(body: bytearray) -> int:
    """Read the number of objects from the last line, which is there only if the list is complete."""
    end = json.loads(bytes(body[body.rindex(b"\n", 0, -1) :]))
    assert end["complete"]
    return int(end["count"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    found = [read(options.url, options.token, lines=options.lines) for _ in range(options.times)]
    print(json.dumps(sorted(found, key=lambda figures: figures["total"])[len(found) // 2]))


if __name__ == "__main__":
    main()
