"""Reads one whole list, then parses it. Prints its figures as JSON.

python -m tests.benchmarks.whole URL TOKEN [--lines]

`first` is seconds until the first byte of the body, `total` until the last.
"""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit


def main(url: str, token: str, *, lines: bool) -> None:
    parts = urlsplit(url)
    accept = {"Accept": "application/x-ndjson"} if lines else {}
    connection = http.client.HTTPConnection(parts.netloc, timeout=300)
    began = time.perf_counter()
    connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"} | accept)
    answer = connection.getresponse()
    body = bytearray(answer.read(1))
    first = time.perf_counter() - began
    while block := answer.read1(1 << 20):
        body += block
    total = time.perf_counter() - began
    objects = _count_named(body) if lines else len(json.loads(body))
    print(json.dumps({"first": first, "total": total, "objects": objects, "bytes": len(body)}))


def _count_named(body: bytearray) -> int:
    """Read the number of objects from the last line, which is there only if the list is complete."""
    end = json.loads(bytes(body[body.rindex(b"\n", 0, -1) :]))
    assert end["complete"]
    return int(end["count"])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], lines="--lines" in sys.argv)
