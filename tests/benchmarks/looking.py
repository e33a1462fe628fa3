"""The cost of looking for secrets in a page of 100 objects, as a share of parsing that page: JSON.

python -m tests.benchmarks.looking NUMBER

`customers` pass as Stripe wrote them. `payments` are written anew, each without its secret. `addresses` are products
whose pictures have percent-encoded addresses; none of them hides a secret, so they pass too.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

from deploy.stripe_stand_in.account import Account, Making
from sidecar.core.pages import Page
from sidecar.core.secret_values import ALL
from sidecar.core.views import View
from sidecar.web.answers.rendering import render_page

_EVERYTHING = View(everything=True, customer_ids=True)
_PICTURE = "https://files.example.com/a%20picture%2Fof%2Ftea.png?size=%5B100%2C200%5D"


def main(number: int) -> dict[str, float]:
    account = Account(Making())
    return {
        "customers": _share(_page(account, "customer"), number),
        "payments": _share(_page(account, "payment_intent"), number),
        "addresses": _share(_page(account, "product", images=[_PICTURE] * 4), number),
    }


def _page(account: Account, kind: str, **attributes: Any) -> bytes:  # noqa: ANN401 - the values of any attributes
    data = [account.add(kind, attributes) for _ in range(100)]
    return orjson.dumps({"object": "list", "data": data, "has_more": False}, option=orjson.OPT_INDENT_2)


def _share(raw: bytes, number: int) -> float:
    data = orjson.loads(raw)["data"]
    written = render_page(Page(data, more=False, raw=raw), _EVERYTHING)
    return _seconds(lambda: ALL.may_be_in(written), number) / _seconds(lambda: orjson.loads(raw), number)


def _seconds(work: Callable[[], object], number: int) -> float:
    """Give the CPU time of the quickest of five rounds."""
    rounds = []
    for _ in range(5):
        began = time.process_time_ns()
        for _ in range(number):
            work()
        rounds.append(time.process_time_ns() - began)
    return max(min(rounds), 1) / 1e9


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
