"""The callers of the benchmark and what they ask for, in a double of Directus that is as slow as one Directus is."""

import asyncio
import json

from aiohttp import web

from tests.benchmarks.fair.account import customer_id, object_id
from tests.benchmarks.fair.plan import Request
from tests.doubles.directus import DirectusDouble, User, full, grants, partial
from tests.doubles.faults import Handler

_OWN = grants(read=partial("id", "stripe_customer_id"), update=partial("name", "email"))
_MEMBER, _NEIGHBOUR, _OWNER, _STRANGER = (
    User(f"user-{name}", f"benchmark-{name}", _OWN) for name in ("member", "neighbour", "owner", "stranger")
)
_ALL = grants(read=full(), create=full(), update=full())
_READER, _CLERK = User("user-reader", "benchmark-reader", _ALL), User("user-clerk", "benchmark-clerk", _ALL)
MEMBER, NEIGHBOUR, OWNER, STRANGER, READER, CLERK = (
    user.token for user in (_MEMBER, _NEIGHBOUR, _OWNER, _STRANGER, _READER, _CLERK)
)


class OneProcess:
    """Answers as one Directus process does: a question after the other; one that was given up costs as much."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free = 0.0

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        self._free = max(now, self._free) + self._seconds
        await asyncio.sleep(self._free - now)
        return await handler(request)


def move_in(directus: DirectusDouble, rows: int, question: float) -> None:
    """Add everybody: the owner has customers 0 to `rows` - 1, the member the next one and the neighbour the next.

    `question` is in seconds.
    """
    directus.add_users([_MEMBER, _NEIGHBOUR, _OWNER, _STRANGER, _READER, _CLERK])
    for number in range(rows):
        directus.add_row(owner=_OWNER.name, stripe_customer_id=customer_id(number))
    for number, user in ((rows, _MEMBER), (rows + 1, _NEIGHBOUR)):
        directus.add_row(owner=user.name, stripe_customer_id=customer_id(number))
    if question:
        directus.fail(OneProcess(question))


def clerks(directus: DirectusDouble, number: int) -> list[str]:
    """Add clerks who may read everything and change nothing; give their tokens."""
    found = [User(f"user-clerk-{one}", f"benchmark-clerk-{one:04}", grants(read=full())) for one in range(number)]
    directus.add_users(found)
    return [user.token for user in found]


def page(token: str, after: int | None = None, limit: int = 1) -> Request:
    """Ask for one page of payments, the first or the one after payment number `after`."""
    cursor = "" if after is None else f"&starting_after={object_id('pi', after)}"
    return Request(f"/stripe/payments?limit={limit}{cursor}", token)


def whole_list(token: str) -> Request:
    return Request("/stripe/payments", token)


def since(token: str, number: int) -> Request:
    """Ask for the whole list in one of many forms, which the service cannot know to be equal."""
    return Request(f"/stripe/payments?created[gte]={number + 1}", token)


def payment(token: str, number: int) -> Request:
    return Request(f"/stripe/payment_intents/{object_id('pi', number)}", token)


def setup_intent(token: str, number: int | None) -> Request:
    """Save a payment method of customer `number`, or without a word of whose."""
    return post("/stripe/setup_intents", token, **({} if number is None else {"customer": customer_id(number)}))


def post(target: str, token: str, /, **body: object) -> Request:
    return Request(target, token, "POST", json.dumps(body))
