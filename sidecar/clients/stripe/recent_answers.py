"""What Stripe answered lately, without secrets: for a moment it is given again, until anything changes at Stripe.

All is forgotten with every change and every event: an event names one object, and what it did may show in any other (a
refund shows in its payment, charge, invoice, balance and customer). Nothing here knows who may see what. The key of an
answer is what the request asked for; account, key and version are those of the one client that fills it.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count

from cachetools import TLRUCache

from sidecar.clients.changes import Changes
from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page
from sidecar.core.public_copies import public_object, public_page
from sidecar.core.stripe_json import parsed
from sidecar.errors import StripeUnavailable
from sidecar.metrics import Metrics

_MOST = 32 * 2**20  # bytes of all answers
_PART = 8  # of that, the most that one answer may take
_OF_EACH = 2_000  # bytes of an answer beside its key and its text: its places in tables
_OF_LISTED = 500  # bytes of what a list knows of one object
_numbers = count()


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """`began`: since when it may be true, in the event loop's time. `whole`: nothing was left out of it.

    `beside`: bytes that are counted beside its content.
    """

    content: Page | bytes
    began: float
    whole: bool = False
    beside: int = _OF_EACH
    number: int = field(default_factory=_numbers.__next__)

    @property
    def size(self) -> int:
        if isinstance(self.content, bytes):
            return self.beside + len(self.content)
        page = self.content
        return self.beside + len(page.raw or b"") + len(page.written or b"") + _OF_LISTED * len(page)


_Answers = TLRUCache[Hashable, _Answer]


@dataclass(frozen=True, slots=True)
class _Renderings:
    """What was written of a page that is remembered: it counts like that, and ends with it."""

    answers: _Answers
    key: Hashable
    page: _Answer

    def get(self, view: object, /) -> bytes | None:
        found = self.answers.get((self.page.number, view))
        return found.content if found is not None and isinstance(found.content, bytes) else None

    def __setitem__(self, view: object, written: bytes, /) -> None:
        if self.answers.get(self.key) is self.page:
            _put(self.answers, (self.page.number, view), _Answer(written, self.page.began))


@dataclass(frozen=True, slots=True)
class RecentPage:
    """`age`: seconds since Stripe was asked."""

    page: Page
    age: float


@dataclass(frozen=True, slots=True)
class RecentObject:
    object: StripeObject
    age: float


class RecentAnswers:
    """Remembers each answer for `seconds` from when Stripe was asked for it, and all together in bounded memory.

    `secrets`: the request will show secrets, so it can have only what had none.
    """

    def __init__(self, seconds: float, changes: Changes, metrics: Metrics, *, most: int = _MOST) -> None:
        self._seconds, self._changes, self._reads = seconds, changes, metrics.reads
        self._changed = float("-inf")
        self._answers: _Answers = TLRUCache(
            most, lambda _, answer, __: answer.began + seconds, _now, lambda answer: answer.size
        )
        metrics.remembered.set_function(lambda: self.size)

    @property
    def size(self) -> int:
        """Bytes that are counted for what is remembered."""
        return int(self._answers.currsize)

    async def page(self, key: Hashable, *, secrets: bool) -> RecentPage | None:
        found = await self._find(key, secrets=secrets)
        if found is None or not isinstance(found.content, Page):
            return None
        return RecentPage(found.content.untouched(_Renderings(self._answers, key, found)), _now() - found.began)

    async def object(self, key: Hashable, *, secrets: bool) -> RecentObject | None:
        found = await self._find(key, secrets=secrets)
        if found is None or not isinstance(found.content, bytes):
            return None
        value = parsed(found.content)
        return RecentObject(value, _now() - found.began) if isinstance(value, dict) else None

    def keep_page(self, key: Hashable, page: Page, began: float) -> None:
        """Remember a page that Stripe was asked for at `began`, unless something changed since."""

        def copy() -> tuple[Page, bool]:
            public = public_page(page)
            return public.page, public.whole

        self._keep(key, began, copy)

    def keep_object(self, key: Hashable, value: StripeObject, began: float) -> None:
        """Remember an object in the same way."""

        def copy() -> tuple[bytes, bool]:
            public = public_object(value)
            return public.written, public.whole

        self._keep(key, began, copy)

    def forget(self) -> None:
        """Give nothing again that Stripe was asked for before now, also what it has not answered yet."""
        self._changed = _now()
        self._answers.clear()

    async def _find(self, key: Hashable, *, secrets: bool) -> _Answer | None:
        found = self._answers.get(key)
        if found is not None and (found.whole or not secrets):
            if await self._changes.none_since(found.began):
                self._reads.labels("remembered").inc()
                return found
            if self._answers.get(key) is found:
                self._answers.pop(key)
        self._reads.labels("asked").inc()
        return None

    def _keep(self, key: Hashable, began: float, copy: Callable[[], tuple[Page | bytes, bool]]) -> None:
        known = self._answers.get(key)
        if began <= self._changed or (known is not None and known.began > began):
            return
        try:
            content, whole = copy()
        except (ValueError, TypeError, RecursionError, StripeUnavailable):
            return  # it is not as usual, and may be given once without being understood
        answer = _Answer(content, began, whole, _OF_EACH + len(repr(key)))
        if answer.size * _PART <= self._answers.maxsize:
            _put(self._answers, key, answer)
            asyncio.get_running_loop().call_at(answer.began + self._seconds, self._answers.expire)


def _put(answers: _Answers, key: Hashable, answer: _Answer) -> None:
    if answer.size <= answers.maxsize:
        answers[key] = answer
