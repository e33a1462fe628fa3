"""Directus's REST API as an administrator uses it, and login as any user.

Each call opens its own connection, so that tests with different event loops can use the same object.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import aiohttp

SESSION_COOKIE = "directus_session_token"


@dataclass(frozen=True, slots=True)
class Person:
    """A user with both kinds of credential: a login for a session, and a static token."""

    name: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    id: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One permission of a policy, in Directus's words; `item` is the item rule, None for every item.

    `presets` are the values of a new item that the request does not give.
    """

    collection: str
    action: Literal["create", "read", "update", "delete", "share"]
    fields: Sequence[str] | None = ("*",)
    item: Mapping[str, object] | None = None
    presets: Mapping[str, object] | None = None


class DirectusError(Exception):
    """Directus answered with an error; `status` and `code` are its own."""

    def __init__(self, call: str, status: int, errors: list[dict[str, Any]]) -> None:
        super().__init__(f"{call}: {status} {[error.get('message') for error in errors]}")
        self.status = status
        self.code = str(errors[0]["extensions"]["code"]) if errors else ""


class DirectusAdmin:
    """`url` without a slash at the end; `token` is an administrator's."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    async def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever JSON Directus answers
        """Call one route and give its `data`. Raises DirectusError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as session,
            session.request(method, path, json=body) as answer,
        ):
            return await _data(answer, f"{method} {path}")

    async def policy(self, name: str, rules: Sequence[Rule] = (), *, ip_access: Sequence[str] | None = None) -> str:
        """Create a policy and give its ID; `ip_access` are the addresses or networks where it applies."""
        body = {"name": name, "ip_access": ip_access, "admin_access": False, "app_access": False}
        policy: str = (await self.request("POST", "/policies", body))["id"]
        for rule in rules:
            await self.permission(policy, rule)
        return policy

    async def permission(self, policy: str, rule: Rule) -> int:
        """Add `rule` to a policy and give the permission's ID."""
        body = {
            "policy": policy,
            "collection": rule.collection,
            "action": rule.action,
            "fields": None if rule.fields is None else list(rule.fields),
            "permissions": rule.item,
            "presets": rule.presets,
        }
        return int((await self.request("POST", "/permissions", body))["id"])

    async def person(self, name: str, policies: Sequence[str] = ()) -> Person:
        """Create a role with `policies`, and a user of that role with the same name."""
        new = Person(name, f"{name}@example.com", secrets.token_urlsafe(9), secrets.token_urlsafe(24))
        role = (await self.request("POST", "/roles", {"name": name}))["id"]
        for policy in policies:
            await self.request("POST", "/access", {"role": role, "policy": policy})
        body = {"email": new.email, "password": new.password, "token": new.token, "role": role}
        user = await self.request("POST", "/users", body | {"first_name": name.capitalize()})
        return replace(new, id=user["id"], role=role)

    async def suspend(self, person: Person) -> None:
        await self.request("PATCH", f"/users/{person.id}", {"status": "suspended"})


async def login(url: str, person: Person, mode: Literal["session", "json"] = "session") -> str:
    """Sign in and give the session cookie's value, or in mode "json" the access token."""
    body = {"email": person.email, "password": person.password, "mode": mode}
    async with aiohttp.ClientSession(url) as session, session.post("/auth/login", json=body) as answer:
        data = await _data(answer, "POST /auth/login")
        return answer.cookies[SESSION_COOKIE].value if mode == "session" else str(data["access_token"])


async def logout(url: str, session_token: str) -> None:
    """End a session, as the Directus app does."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={session_token}"}
    async with (
        aiohttp.ClientSession(url, headers=cookie) as session,
        session.post("/auth/logout", json={"mode": "session"}) as answer,
    ):
        await _data(answer, "POST /auth/logout")


async def _data(answer: aiohttp.ClientResponse, call: str) -> Any:  # noqa: ANN401 - see DirectusAdmin.request
    body = await answer.json() if answer.content_type == "application/json" else {}
    if not answer.ok:
        raise DirectusError(call, answer.status, body.get("errors", []))
    return body.get("data")
