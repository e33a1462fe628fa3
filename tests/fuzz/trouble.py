"""Upstreams that report each request and, in the second part of a run, fail now and then."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from aiohttp import web

from tests.doubles import faults
from tests.doubles.faults import Fault, Handler
from tests.doubles.server import Recorded

Asked = Callable[[Recorded], None]
Answered = Callable[[Recorded, web.StreamResponse], None]


_BOTH: tuple[Fault, ...] = (
    faults.answer(500),
    faults.answer(503, "<html>busy</html>", "text/html"),
    faults.answer(429, "{}", Retry_After="1"),
    faults.answer(200, "[]"),
    faults.answer(200, "null"),
    faults.answer(200, "not JSON"),
    faults.answer(204),
    faults.redirect("https://evil.example/"),
    *faults.BROKEN,
)
_ERROR = '{"error": {"type": "%s", "code": "%s", "message": "unmapped-mark"}}'
OF_STRIPE: tuple[Fault, ...] = (
    *_BOTH,
    faults.answer(400, _ERROR % ("invalid_request_error", "parameter_unknown")),
    faults.answer(402, _ERROR % ("card_error", "card_declined")),
    faults.answer(409, _ERROR % ("idempotency_error", "idempotency_key_in_use")),
    faults.answer(429, _ERROR % ("invalid_request_error", "lock_timeout")),
    faults.answer(500, _ERROR % ("api_error", "x")),
    faults.answer(200, '{"object": "list", "data": [1], "has_more": true}'),
    faults.answer(200, '{"object": "list", "data": [], "has_more": "x"}'),
    faults.answer(200, '{"id": [], "object": {}, "deleted": 1, "customer": {}}'),
)
OF_DIRECTUS: tuple[Fault, ...] = (
    *_BOTH,
    faults.answer(401, '{"errors": [{"message": "unmapped-mark", "extensions": {"code": "TOKEN_EXPIRED"}}]}'),
    faults.answer(403, '{"errors": [{"message": "unmapped-mark", "extensions": {"code": "FORBIDDEN"}}]}'),
    faults.answer(503, '{"errors": [{"message": "unmapped-mark", "extensions": {"code": "SERVICE_UNAVAILABLE"}}]}'),
    faults.answer(200, '{"data": {"customers": {"read": {"access": "everything", "fields": "*"}}}}'),
    faults.answer(200, '{"data": {"customers": {"read": true}}}'),
    faults.answer(200, '{"data": [[]]}'),
)


_LATE = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Witness:
    """Reports each request before it is answered, and each healthy answer.

    Of `one_in` requests one gets one of the `faults`, and another one is answered late.
    """

    asked: Asked
    answered: Answered
    random: Random
    faults: Sequence[Fault] = ()
    one_in: int = 6

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        recorded = Recorded(request.method, request.raw_path, headers, await request.read())
        self.asked(recorded)
        chance = self.random.randrange(self.one_in) if self.faults else None
        if chance == 0:
            return await self.random.choice(self.faults)(request, handler)
        if chance == 1:
            await asyncio.sleep(_LATE)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            self.answered(recorded, error)
            raise
        self.answered(recorded, response)
        return response
