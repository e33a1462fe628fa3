"""Asks every route as every user with each kind of credential, through nginx, and judges every answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.demo.admin import SESSION_COOKIE, Person, login
from deploy.demo.expectations import EXPECTED, OTHER, OWN, ROUTES, Expected, Route
from deploy.demo.stack import Stack

BY_SESSION = "session cookie"
BY_STATIC = "static token"
_CREATED = 201


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `body` is its JSON."""

    status: int
    code: str
    body: Any

    @property
    def objects(self) -> list[Any]:
        return self.body if isinstance(self.body, list) else [self.body]


@dataclass(frozen=True, slots=True)
class Row:
    """One caller on one route: the answer to each credential the caller has, or the answer of each replica."""

    who: str
    route: Route
    expected: Expected
    answers: Mapping[str, Answer]

    def fault(self, column: str) -> str:
        """Say in a few words what is wrong with an answer; empty if nothing is."""
        return _fault(self.expected, self.route.kind, self.answers[column])


async def ask_all(stack: Stack) -> list[Row]:
    """Ask every route as each user in EXPECTED, with each of the user's credentials."""
    rows: list[Row] = []
    for who, expectations in EXPECTED.items():
        credentials = await _credentials(stack.proxy.url, stack.people.get(who))
        for route, expected in zip(ROUTES, expectations, strict=True):
            answers = {
                credential: await _ask(stack, route, headers, who) for credential, headers in credentials.items()
            }
            rows.append(Row(who, route, expected, answers))
    return rows


async def forget_created(stripe: str, key: str, rows: Sequence[Row]) -> None:
    """Delete at Stripe the customers that the questions created. Raises aiohttp.ClientError."""
    headers = {"Authorization": f"Bearer {key}"}
    created = [answer.body["id"] for row in rows for answer in row.answers.values() if answer.status == _CREATED]
    async with aiohttp.ClientSession(stripe, headers=headers) as session:
        for customer in created:
            async with session.delete(f"/v1/customers/{customer}", raise_for_status=True):
                pass


async def _credentials(proxy: str, person: Person | None) -> dict[str, dict[str, str]]:
    """Give the headers of each credential; a caller without any has empty headers under the first kind."""
    if person is None:
        return {BY_SESSION: {}}
    session = await login(proxy, person)
    return {
        BY_SESSION: {"Cookie": f"{SESSION_COOKIE}={session}"},
        BY_STATIC: {"Authorization": f"Bearer {person.token}"},
    }


async def _ask(stack: Stack, route: Route, headers: Mapping[str, str], who: str) -> Answer:
    own, other, *_ = stack.customers.values()
    path = route.path.replace(OWN, own).replace(OTHER, other)
    new = (
        {"email": f"{who.replace(' ', '-')}@example.com", "name": f"Made by {who}"} if route.method == "POST" else None
    )
    return await ask(stack.proxy.url, route.method, path, headers, new)


async def ask(
    url: str, method: str, path: str, headers: Mapping[str, str], new: Mapping[str, str] | None = None
) -> Answer:
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        session.request(method, path, json=new) as answer,
    ):
        try:
            body = await answer.json()
        except (aiohttp.ClientError, ValueError):
            return Answer(answer.status, "UNREADABLE", None)
    code = body["errors"][0]["extensions"]["code"] if isinstance(body, dict) and "errors" in body else ""
    return Answer(answer.status, code, body)


def _fault(expected: Expected, kind: str, answer: Answer) -> str:
    if (answer.status, answer.code) != (expected.status, expected.code):
        return "not as expected"
    if answer.code:
        return ""
    if expected.count not in {None, len(answer.objects)}:
        return "another number"
    if not answer.objects or any(each.get("object") != kind for each in answer.objects):
        return f"not a {kind}"
    return "client_secret shown" if any("client_secret" in each for each in answer.objects) else ""
