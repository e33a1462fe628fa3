"""Compares what is made of a document without parsing it with what parsing gives, and with what the view is to show."""

import json
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from sidecar.clients.stripe.skim import parsed_page, skimmed
from sidecar.core.operations.resources import StripeObject, reference
from sidecar.core.pages import Listed, Page
from sidecar.core.stripe_json import parsed
from sidecar.core.views import CallerView, OneView, View, ViewByCustomer
from sidecar.errors import StripeUnavailable
from sidecar.web.answers.rendering import Rendering, render_found, render_page
from tests.fuzz.pages.documents import one_of

_SELDOM = 0.95
EVERYTHING = View(everything=True, customer_ids=True)
WITH_SECRETS = View(everything=True, customer_ids=True, secrets=True)
_SOME = View(attributes=frozenset({"metadata", "email", "created", "next_action", "a"}), customer_ids=True)
VIEWS: tuple[CallerView, ...] = (
    *(EVERYTHING, EVERYTHING, EVERYTHING, WITH_SECRETS, WITH_SECRETS),
    View(everything=True, secrets=True, own=True, key_of="ephemeral_key"),
    View(),
    _SOME,
    View(secrets=True, own=True),
    ViewByCustomer({"cus_1": EVERYTHING, "cus_2": _SOME}),
)


@dataclass(frozen=True, slots=True)
class Form:
    """`write` makes the answer; `read` gives what it says, of a page of these objects."""

    name: str
    write: Callable[[Page, CallerView], bytes]
    read: Callable[[bytes], Any]
    whole: Callable[[list[StripeObject], Page], Any]


def slow_page(content: bytes) -> Page | None:
    """Give the page as parsing gives it, None where it is refused."""
    try:
        body = parsed(content)
        return parsed_page(content, body) if isinstance(body, dict) else None
    except (ValueError, StripeUnavailable):
        return None


def faults(content: bytes, random: Random, *, always: bool = False) -> tuple[bool, list[str]]:
    """Say whether the document is read without parsing, and what does not hold.

    `always`: judge it in any case. Otherwise a document that has to be parsed is seldom judged.
    """
    fast = skimmed(content)
    if fast is None and not always and random.random() < _SELDOM:
        return False, []
    slow = slow_page(content)
    if slow is None:
        return fast is not None, [] if fast is None else ["only parsing refuses it"]
    if fast is None:
        return False, list(_of_answers(slow, slow, random))
    return True, [*_of_page(fast, slow), *_of_answers(fast, slow, random)]


def _of_page(fast: Page, slow: Page) -> Iterator[str]:
    if [_told(one) for one in fast.listed] != [_told(one) for one in slow.listed]:
        yield f"listed as {fast.listed}, not {slow.listed}"
    if [one.customer_id for one in fast.listed] != [reference(entry, "customer") for entry in slow.data]:
        yield "another customer"
    if (fast.more, fast.next_page, len(fast)) != (slow.more, slow.next_page, len(slow)):
        yield f"more {fast.more}, next {fast.next_page}, {len(fast)} objects"
    objects = canonical(_again(slow.data))
    if canonical([value(text) for text in fast.texts]) != objects:
        yield "other texts"
    if canonical(_again(fast.data)) != objects:
        yield "other objects"


def _told(listed: Listed) -> tuple[object, ...]:
    return listed.id, listed.created, listed.object, listed.customer_id, listed.time


def _of_answers(fast: Page, slow: Page, random: Random) -> Iterator[str]:
    return of_answer(one_of(random, FORMS), one_of(random, VIEWS), fast, slow)


def of_answer(form: Form, view: CallerView, fast: Page, slow: Page) -> Iterator[str]:
    shown = canonical(form.whole(_again([view.project(entry) for entry in slow.data]), slow))
    anew = Page(slow.data, more=slow.more, next_page=slow.next_page)
    for way, page in {"fast": fast, "slow": slow, "anew": anew}.items():
        written = form.write(page, view)
        if canonical(form.read(written)) != shown:
            yield f"{form.name} {view} {way}: {written[:3000]!r}, not {shown[:3000]!r}"
        if isinstance(view, View) and way != "anew" and form.name == "page" and _secret_beside(written, view):
            yield f"a secret beside the data, {way}: {written[:3000]!r}"


def _secret_beside(written: bytes, view: View) -> bool:
    beside = {name: member for name, member in value(written).items() if name != "data"}
    return view.withheld.left_out(beside) != beside


def value(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON, with a number beyond a float as it is written."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text.decode(), parse_int=_number, parse_float=_number, parse_constant=_refuse)


def canonical(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _number(text: str) -> object:
    if text.lstrip("-").isdigit() and -(2**63) <= (number := int(text[:30])) < 2**64 and len(text) < 30:
        return number
    return float(text) if math.isfinite(float(text)) else {"a number": text}


def _refuse(text: str) -> None:
    raise ValueError(text)


def _again(data: list[StripeObject]) -> list[StripeObject]:
    """Read objects with numbers that only can be written."""
    return [value(orjson.dumps(entry)) for entry in data]


def _now(written: Awaitable[bytes]) -> bytes:
    """Run what waits for nothing."""
    assert isinstance(written, Coroutine)
    try:
        written.send(None)
    except StopIteration as end:
        result: bytes = end.value
        return result
    raise AssertionError("it waits")


def _lines(written: bytes) -> list[object]:
    assert not written or written.endswith(b"\n")
    return [value(line) for line in written.split(b"\n")[:-1]]


FORMS = (
    Form(
        "page",
        render_page,
        lambda written: {name: value(written)[name] for name in ("data", "has_more")},
        lambda data, page: {"data": data, "has_more": page.more},
    ),
    Form(
        "array",
        lambda page, view: _now(Rendering(OneView(view))(page)),
        lambda written: value(b"[" + written + b"]"),
        lambda data, _: data,
    ),
    Form("lines", lambda page, view: _now(Rendering(OneView(view), lines=True)(page)), _lines, lambda data, _: data),
    Form(
        "search",
        render_found,
        value,
        lambda data, page: {
            "object": "search_result",
            "data": data,
            "has_more": page.more,
            "next_page": page.next_page,
        },
    ),
)
