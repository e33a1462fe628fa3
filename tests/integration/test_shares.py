"""Real shares and other tokens that are nobody's, on a real Directus."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import aiohttp
import pytest

from deploy.demo.admin import SESSION_COOKIE, DirectusAdmin, Person, Rule
from deploy.demo.stack import Stack
from sidecar.core.operations.row import Kind
from tests.doubles.samples import RETURN_URL
from tests.doubles.stripe import StripeDouble
from tests.integration.asking import Carried, ask
from tests.integration.conftest import SECRET, Newcomer
from tests.integration.portal import ID, Portal, collections, open_portal
from tests.integration.test_rows import expected, seen
from tests.unit.core.access.test_claims import DIRECTUS_READS
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.people import furnish

EVERYWHERE = pytest.mark.parametrize("carried", Carried)
SHARES = (Rule("directus_shares", "create"), Rule("directus_shares", "read"))
Mode = Literal["json", "session"]


@dataclass(frozen=True, slots=True)
class Sharer:
    """A person who reads every customer and may share one."""

    portal: Portal
    person: Person

    async def share(self, customer_id: str, **values: object) -> str:
        """Share the item of a customer; give the share's ID."""
        directus = DirectusAdmin(self.portal.stack.directus.url, self.person.token)
        [row] = await directus.request("GET", f"{self.portal.path}?filter[{ID}][_eq]={customer_id}")
        share = {"collection": self.portal.names.customers, "item": str(row["id"]), "role": self.person.role, **values}
        return str((await directus.request("POST", "/shares", share))["id"])

    async def holder(self, customer_id: str, mode: Mode = "session", **values: object) -> Person:
        """Give a caller with nothing but the token of a new share."""
        return await self.opened(await self.share(customer_id, **values), mode)

    async def opened(self, share: str, mode: Mode = "session", **values: object) -> Person:
        return replace(self.person, token=await token_of(self.portal.stack, share, mode, **values))


async def token_of(stack: Stack, share: str, mode: Mode, **values: object) -> str:
    """Open a share without an account; a session's token works in every place."""
    body = {"share": share, "mode": mode, **values}
    async with (
        aiohttp.ClientSession(stack.directus.url) as session,
        session.post("/shares/auth", json=body) as answer,
    ):
        told = await answer.json()
        assert answer.status == 200, told
        return answer.cookies[SESSION_COOKIE].value if mode == "session" else str(told["data"]["access_token"])


@pytest.fixture
async def sharer(portal: Portal, newcomer: Newcomer) -> Sharer:
    return Sharer(portal, await newcomer(portal.names.rule("read"), portal.names.rule("share"), *SHARES))


def signed(payload: bytes | Mapping[str, object]) -> str:
    """Sign claims as Directus does."""
    claims = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = ".".join(encoded(part) for part in (b'{"alg":"HS256","typ":"JWT"}', claims))
    return signed_again(f"{head}.")


def signed_again(token: str) -> str:
    """Replace a token's signature by one that Directus accepts."""
    head = token.rpartition(".")[0]
    return f"{head}.{encoded(hmac.digest(SECRET.encode(), head.encode(), 'sha256'))}"


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def named(**claims: object) -> dict[str, object]:
    """Give what every token of Directus has, and these claims."""
    whole = {"iss": "directus", "exp": int(time.time()) + 600, "role": None}
    return {**whole, "app_access": False, "admin_access": False, **claims}


async def directus_lets_in(portal: Portal, token: str) -> bool:
    answer = await ask(portal.stack.directus.url, "/permissions/me", token)
    return answer.status == 200 and portal.names.customers in answer.json()["data"]


async def carrying(portal: Portal, person: Person, carried: Carried, target: str = "/customers") -> tuple[int, object]:
    portal.tokens.add(person.token)
    answer = await ask(portal.url, f"/stripe{target}", person.token, carried=carried)
    return answer.status, answer.extensions.get("reason")


@EVERYWHERE
@pytest.mark.parametrize("mode", ["json", "session"])
async def test_refused(portal: Portal, sharer: Sharer, carried: Carried, mode: Mode) -> None:
    """O1: A real share's token is refused in each place before Directus is asked, though Directus itself lets it in."""
    shared = await portal.customer()
    holder = await sharer.holder(shared, mode)
    portal.forget_requests()

    answers = {await carrying(portal, holder, carried, target) for target in ("/customers", f"/payments/{shared}")}

    assert answers == {(401, "share")}
    assert portal.asked_by(holder) == []
    assert portal.stripe.asked == []
    assert await directus_lets_in(portal, holder.token)


@EVERYWHERE
async def test_reads_the_shared_item(portal: Portal, sharer: Sharer, carried: Carried) -> None:
    """O1: With ALLOW_SHARES=read a share sees the customer of the shared item, and no other."""
    shared, foreign = await portal.customer(), await portal.customer()
    holder = await sharer.holder(shared)

    async with portal.other(ALLOW_SHARES="read") as reading:
        assert await seen(reading, holder) == expected(portal, shared)
        assert await carrying(reading, holder, carried, f"/payments/{shared}") == (200, None)
        assert await carrying(reading, holder, carried, f"/payments/{foreign}") == (401, "not_visible")


@pytest.mark.parametrize("shares", ["none", "read"])
async def test_a_reader_shares_with_itself(portal: Portal, sharer: Sharer, tmp_path: Path, shares: str) -> None:
    """O1: Who may do something for its own customers only gains nothing by sharing an item with itself."""
    furnish(portal.stripe)
    everything = [name for name, case in CASES.items() if case.row.on_customers]
    file = tmp_path / "operations.toml"
    file.write_text("".join(f'[{name}]\naction = "read"\n' for name in everything))
    await portal.item(**{ID: "cus_OWN"})
    holder = await sharer.holder("cus_OWN")
    portal.tokens.update([sharer.person.token, holder.token])
    settings = {"STRIPE_OPERATIONS": str(file), "ALLOWED_RETURN_URLS": RETURN_URL, "ALLOW_SHARES": shares}

    answers = {}
    async with portal.other(**settings) as other:
        for who in (sharer.person, holder):
            portal.forget_requests()
            for name in everything:
                case = CASES[name]
                body, method = (case.json if case.body else None), case.row.method
                answer = await ask(other.url, f"/stripe{case.target}", who.token, new=body, method=method)
                answers[name, who is holder] = (answer.status, answer.extensions.get("reason"))

    reads = [name for name in everything if CASES[name].row.kind in {Kind.LIST, Kind.RETRIEVE}]
    refused = "share" if shares == "none" else "shared_item"
    for name in everything:
        allowed = shares == "read" and name in reads
        assert answers[name, True] == ((200, None) if allowed else (401, refused)), name
    assert answers["subscriptions.cancel", False] == (401, "own_only")
    assert {request.method for request in portal.stripe.asked} <= {"GET"}


@asynccontextmanager
async def related(stack: Stack, stripe: StripeDouble) -> AsyncIterator[Portal]:
    """Open a portal in whose collections a company has its customers in a field, as the app makes relations."""
    async with collections(stack) as names:
        company = {"field": "company", "type": "integer", "schema": {}}
        await stack.admin.request("POST", f"/fields/{names.customers}", company)
        alias = {"field": "customers", "type": "alias", "meta": {"special": ["o2m"]}}
        await stack.admin.request("POST", f"/fields/{names.organizations}", alias)
        relation = {"collection": names.customers, "field": "company", "related_collection": names.organizations}
        await stack.admin.request("POST", "/relations", {**relation, "meta": {"one_field": "customers"}})
        async with open_portal(stack, names, stripe) as portal:
            yield portal


async def test_what_directus_shows_beside_the_item(stack: Stack, stripe: StripeDouble, newcomer: Newcomer) -> None:
    """O1: A share reads no customer that Directus shows it through relations of the item, nor through another item."""
    async with related(stack, stripe) as portal:
        names = portal.names
        rules = (names.rule("read"), names.rule("share"), Rule(names.organizations, "read"))
        company = await portal.organization()
        shared, _beside = [await portal.customer(company=company) for _ in range(2)]
        sharer = Sharer(portal, await newcomer(*rules, Rule(names.organizations, "share"), *SHARES))
        of_company = await sharer.holder(shared, collection=names.organizations, item=str(company))
        holder = await sharer.holder(shared)
        portal.tokens.update([holder.token, of_company.token])
        shown = [
            (await ask(stack.directus.url, f"{portal.path}?fields={ID}", who.token)).json()["data"]
            for who in (holder, of_company)
        ]

        async with portal.other(ALLOW_SHARES="read") as reading:
            read = await seen(reading, holder)
            answer = await reading.ask(of_company, "/customers")

        assert [len(rows) for rows in shown] == [2, 2]
        assert read == expected(portal, shared)
        assert (answer.status, answer.extensions["reason"]) == (401, "shared_item")


async def test_a_share_that_is_over(portal: Portal, sharer: Sharer) -> None:
    """O1: A share that ended or was deleted opens nothing at once, though Directus takes an ended one's tokens."""
    shared = await portal.customer()
    share = await sharer.share(shared)
    holder = await sharer.opened(share)
    admin = portal.stack.admin

    async with portal.other(ALLOW_SHARES="read") as reading:
        before = await reading.ask(holder, "/customers")
        await admin.request("PATCH", f"/shares/{share}", {"date_end": "2020-01-01T00:00:00Z"})
        ended, still = await reading.ask(holder, "/customers"), await directus_lets_in(portal, holder.token)
        await admin.request("DELETE", f"/shares/{share}")
        deleted = await reading.ask(holder, "/customers")

    assert (before.status, ended.status, ended.code, still) == (200, 401, "FORBIDDEN", True)
    assert deleted.status == 401


async def test_kinds_of_shares(portal: Portal, sharer: Sharer) -> None:
    """O1: Shares with a password, without a role and of a role read their item, and none of them can share again."""
    shared = await portal.customer()
    locked = await sharer.opened(await sharer.share(shared, password="open"), password="open")
    roleless = await sharer.holder(shared, role=None)
    holder = await sharer.holder(shared)
    again = await ask(
        portal.stack.directus.url,
        "/shares",
        holder.token,
        new={"collection": portal.names.customers, "item": "1", "role": sharer.person.role},
    )

    async with portal.other(ALLOW_SHARES="read") as reading:
        answers = [await reading.ask(who, "/customers") for who in (locked, holder)]
        nothing = await reading.ask(roleless, "/customers")
    refused = await portal.ask(locked, "/customers")

    assert again.status == 403
    assert [[entry["id"] for entry in answer.json()] for answer in answers] == [[shared]] * 2
    assert nothing.status == 401  # the public role may read no customer here
    assert refused.extensions["reason"] == "share"


async def test_whatever_the_creator_became(portal: Portal, sharer: Sharer) -> None:
    """O1: A suspended person's share lives on in Directus; here it is refused like any other."""
    holder = await sharer.holder(await portal.customer())
    await portal.stack.admin.suspend(sharer.person)

    assert await directus_lets_in(portal, holder.token)
    assert await carrying(portal, holder, Carried.HEADER) == (401, "share")


@pytest.mark.parametrize("name", DIRECTUS_READS)
async def test_hidden_claims(portal: Portal, sharer: Sharer, name: str) -> None:
    """O1: However a share is written into the claims, it is refused wherever Directus takes the token."""
    share = await sharer.share(await portal.customer())
    old = urlsafe_b64decode(DIRECTUS_READS["plain"].split(".")[1] + "==")
    [placeholder] = [json.loads(old)["share"]]
    header, payload, _ = DIRECTUS_READS[name].split(".")
    content = urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).replace(placeholder.encode(), share.encode())
    more = json.dumps({key: value for key, value in named().items() if key != "iss"})[1:-1]
    if name == "a text within":
        content = json.dumps(json.loads(content)[:-1] + f",{more}}}").encode()
    else:
        content = content.rstrip()[:-1] + f",{more}}}".encode()
    token = signed_again(f"{header}.{encoded(content)}.")

    assert await directus_lets_in(portal, token) is (name != "a second name")
    assert await carrying(portal, replace(sharer.person, token=token), Carried.HEADER) == (401, "share")


async def test_tokens_that_name_no_user(portal: Portal, sharer: Sharer) -> None:
    """O1: A token by which Directus lets in a role without a user is refused, and so is one that was made for mail."""
    role = sharer.person.role
    let_in = [named(role=role), named(role=role, id=None), named(role=role, id=""), named(role=role, id=7)]
    mail: dict[str, object] = {"iss": "directus", "email": sharer.person.email}

    for claims in (*let_in, named(), mail | {"scope": "invite"}, mail | {"scope": "password-reset"}):
        token = signed(claims)
        assert await directus_lets_in(portal, token) is (claims in let_in)
        assert await carrying(portal, replace(sharer.person, token=token), Carried.HEADER) == (401, "no_user")


async def test_somebody_without_a_role(portal: Portal) -> None:
    """O1: A user without a role is somebody: the public policies apply to it, and to nobody without a user."""
    shared = await portal.customer()
    admin, name = portal.stack.admin, f"roleless-{shared[-6:].lower()}"
    query = "filter[role][_null]=true&filter[user][_null]=true&fields=policy"
    [public, *_] = await admin.request("GET", f"/access?{query}")
    permission = await admin.permission(public["policy"], portal.names.rule("read"))
    new = {"email": f"{name}@example.com", "password": "a-password", "token": f"{name}-token"}
    user = await admin.request("POST", "/users", new)
    somebody = Person(name, new["email"], new["password"], new["token"], user["id"])
    portal.tokens.update(["null", "undefined", "j:null"])
    try:
        assert await seen(portal, somebody) == expected(portal, shared)
        for cookie in ("", '""', "null", "undefined", "j:{}", "%00", "j:null"):
            answer = await ask(portal.url, "/stripe/customers", headers=[("Cookie", f"{SESSION_COOKIE}={cookie}")])
            assert answer.status in {400, 401}, cookie
        for form in ("Bearer", "Bearer ", "bearer  x", "Basic eDp5", "Token x", "Bearer null", "Bearer undefined"):
            answer = await ask(portal.url, "/stripe/customers", headers=[("Authorization", form)])
            assert answer.status in {400, 401}, form
        nobody = await ask(portal.stack.directus.url, "/permissions/me")
        assert (nobody.status, nobody.code) == (403, "FORBIDDEN")
        assert (await ask(portal.stack.directus.url, portal.path)).status == 200  # the public role itself may read
    finally:
        await admin.request("DELETE", f"/permissions/{permission}")
        await admin.request("DELETE", f"/users/{user['id']}")
