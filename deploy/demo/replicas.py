"""Asks each replica, not through nginx, around a logout that nginx tells to one of them."""

from deploy.demo.admin import SESSION_COOKIE, login, logout
from deploy.demo.expectations import LIST, SIGNED_IN, SIGNED_OUT
from deploy.demo.matrix import Answer, Row, ask
from deploy.demo.stack import Stack

_WHO = "clerk"


def names(stack: Stack) -> list[str]:
    return [f"replica {number}" for number, _ in enumerate(stack.replicas, 1)]


async def ask_around_logout(stack: Stack) -> list[Row]:
    """Give two rows: while the session lasts, and right after its logout."""
    session = await login(stack.proxy.url, stack.people[_WHO])
    before = await _ask_each(stack, session)
    await logout(stack.proxy.url, session)
    after = await _ask_each(stack, session)
    return [
        Row(f"{_WHO}, signed in", LIST, SIGNED_IN, before),
        Row(f"{_WHO}, signed out", LIST, SIGNED_OUT, after),
    ]


async def _ask_each(stack: Stack, session: str) -> dict[str, Answer]:
    cookie = {"Cookie": f"{SESSION_COOKIE}={session}"}
    return {
        name: await ask(replica.url, LIST.method, LIST.path, cookie)
        for name, replica in zip(names(stack), stack.replicas, strict=True)
    }
