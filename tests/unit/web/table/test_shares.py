"""Tokens that are nobody's: a share's, which whoever has its link holds, and those that name no user."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from sidecar.core.operations.row import Kind
from tests.doubles import faults
from tests.doubles.directus import DirectusDouble, User, full, grants, partial
from tests.doubles.invariants import log_records
from tests.doubles.running_app import RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import ALL, MANAGER

SHARE = "15f2673a-3a9a-4829-8961-3cb3343c1a2b"
COOKIE = "directus_session_token"
READS = {"ALLOW_SHARES": "read"}
PLAIN = {
    name: case
    for name, case in CASES.items()
    if case.row.kind in {Kind.LIST, Kind.RETRIEVE} and case.row.on_customers
}  # fmt: skip
LOWERED: Mapping[str, str] = {name: 'action = "read"' for name, case in CASES.items() if case.row.on_customers}


def jwt(**claims: object) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": "directus", "exp": 4102444800, **claims})
    encoded = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{'.'.join(encoded)}.MARKEDsignature"


HOLDER = User(SHARE, jwt(share=SHARE, role=None), grants(read=partial()), of_a_share=True)


def opened(directus: DirectusDouble, shop: RunningApp, holder: User = HOLDER, *, collection: str = "customers") -> None:
    """Share the customer OWN, beside which the item's relations show another one."""
    directus.add_users([holder])
    shop.tokens.add(holder.token)
    [shared] = [row for row in directus.rows["customers"].values() if row["stripe_customer_id"] == "cus_OWN"]
    [beside] = [row for row in directus.rows["customers"].values() if row["stripe_customer_id"] == "cus_FOREIGN"]
    for row in (shared, beside):
        row["owner"] = holder.name
    directus.add_share(SHARE, shared, collection)


def reasons(answers: Mapping[str, Answer]) -> dict[str, tuple[int, str | None, object]]:
    return {name: (each.status, each.code, each.extensions.get("reason")) for name, each in answers.items()}


def refused(names: Iterable[str], reason: str) -> dict[str, tuple[int, str | None, object]]:
    return dict.fromkeys(names, (401, "FORBIDDEN", reason))


@pytest.mark.parametrize("value", [SHARE, None, "", False, 0, [], {"id": "x"}], ids=str)
@pytest.mark.parametrize("place", ["header", "query", "cookie"])
async def test_shares_are_refused(directus: DirectusDouble, shop: RunningApp, place: str, value: object) -> None:
    """O1: By default a token with a share among its claims is refused before any upstream is asked, wherever it is."""
    holder = User("share", jwt(share=value, id="ada", role="clerk"), grants("customers", **ALL))
    opened(directus, shop, holder)
    target, headers = "/stripe/customers", [("Cookie", f"{COOKIE}={holder.token}")]
    if place == "query":
        target, headers = f"{target}?access_token={holder.token}", []

    answer = await (shop.call(holder) if place == "header" else shop.call(None, target, headers=headers))

    assert (answer.status, answer.code, answer.extensions["reason"]) == (401, "FORBIDDEN", "share")
    assert "ALLOW_SHARES=read" in answer.message
    assert directus.requests == []
    assert shop.stripe.asked == []


async def test_every_operation_refuses_a_share(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1: By default no operation takes a share, also where the operator's file lets readers have it."""
    shop = await open_shop(LOWERED, DENIED_STATUS="403", ALLOW_SHARES="none")
    opened(directus, shop)

    answers = {name: await case.call(shop, HOLDER) for name, case in CASES.items()}

    assert reasons(answers) == dict.fromkeys(CASES, (403, "FORBIDDEN", "share"))
    assert directus.requests == []
    assert shop.stripe.asked == []


@pytest.mark.parametrize(
    "claims",
    [{"id": None}, {}, {"id": ""}, {"id": 7}, {"id": ["ada"]}, {"scope": "invite", "email": "ada@example.com"}],
    ids=str,
)
@pytest.mark.parametrize("settings", [{}, READS], ids=["shares refused", "shares read"])
async def test_a_token_without_a_user(
    directus: DirectusDouble, open_shop: OpenShop, claims: Mapping[str, object], settings: Mapping[str, str]
) -> None:
    """O1: A token of Directus that names no user is refused, though Directus lets it in by its role."""
    shop = await open_shop(**settings)
    roles = User("role", jwt(role="clerk", **claims), MANAGER.permissions)
    opened(directus, shop, roles)

    answers = {name: await case.call(shop, roles) for name, case in CASES.items()}

    assert reasons(answers) == refused(CASES, "no_user")
    assert directus.requests == []


async def test_a_user_without_a_role(directus: DirectusDouble, shop: RunningApp) -> None:
    """O1: A user without a role is somebody, with what the public policies give, by a session and a static token."""
    for token in (jwt(id="ada", role=None), "MARKED-static"):
        directus.add_users([User("ada", token, grants(read=full(), update=full()))])
        shop.tokens.add(token)
        answer = await CASES["customers.update"].call(shop, directus.users[token])
        assert answer.status == 200, answer.body

    assert [line["user"] for line in log_records(shop.log, "changed at Stripe")] == ["ada"] * 2


async def test_nobody_changes_anything(directus: DirectusDouble, shop: RunningApp) -> None:
    """O1: Nothing is changed by a static token of which Directus names no user, as an extension may let in."""
    machine = replace(MANAGER, token="MARKED-machine", of_a_share=True)
    directus.add_users([machine])
    shop.tokens.add(machine.token)
    changing = {name: case for name, case in CASES.items() if case.row.changes}

    answers = {name: await case.call(shop, machine) for name, case in changing.items()}

    assert reasons(answers) == refused(changing, "no_user")
    assert [request.target for request in shop.stripe.asked if request.method != "GET"] == []


async def test_a_change_waits_for_its_user(directus: DirectusDouble, shop: RunningApp) -> None:
    """O1, U1: Where Directus cannot say whose a token is, nothing is changed."""
    directus.fail(faults.answer(503), when=lambda request: request.path == "/users/me")

    answer = await CASES["subscriptions.cancel"].call(shop, MANAGER)

    assert (answer.status, answer.extensions["service"]) == (503, "directus")
    assert [request.target for request in shop.stripe.asked if request.method != "GET"] == []


@pytest.mark.parametrize("lowered", [{}, LOWERED], ids=["default", "everything for readers"])
async def test_shares_read(directus: DirectusDouble, open_shop: OpenShop, lowered: Mapping[str, str]) -> None:
    """O1: With ALLOW_SHARES=read a share reads its customer; all else refuses it, whatever the operator's file says."""
    shop = await open_shop(lowered, **READS)
    opened(directus, shop)

    answers = {name: await case.call(shop, HOLDER) for name, case in CASES.items()}

    others = [name for name in CASES if name not in PLAIN]
    assert {name: answers[name].status for name in PLAIN} == dict.fromkeys(PLAIN, 200)
    assert reasons({name: answers[name] for name in others}) == refused(others, "shared_item")
    assert {request.method for request in shop.stripe.asked} == {"GET"}
    assert log_records(shop.log, "changed at Stripe") == []


@pytest.mark.parametrize("word", ["FOREIGN", "OTHER", "ABSENT"])
async def test_nothing_beside_the_item(directus: DirectusDouble, open_shop: OpenShop, word: str) -> None:
    """O1: A share reads no other customer, though Directus also shows it the items that the shared one relates to."""
    shop = await open_shop(**READS)
    opened(directus, shop)
    naming = {name: case.about(word) for name, case in PLAIN.items() if case.owned}

    answers = {name: await case.call(shop, HOLDER) for name, case in naming.items()}

    assert reasons(answers) == refused(naming, "not_visible")
    listed = (await shop.call(HOLDER, "/stripe/customers")).json()
    assert [entry["id"] for entry in listed] == ["cus_OWN"]
    payments = (await shop.call(HOLDER, "/stripe/payments")).json()
    assert {entry["customer"] for entry in payments} == {"cus_OWN"}


async def test_no_cursor_beside_the_item(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1, R3: The cursor of another customer's object is unknown to a share."""
    shop = await open_shop(**READS)
    opened(directus, shop)

    for cursor in ("starting_after", "ending_before"):
        answers = [
            await shop.call(HOLDER, f"/stripe/payments?limit=1&{cursor}=pi_{word}") for word in ("FOREIGN", "ABSENT")
        ]
        assert [(each.status, each.code) for each in answers] == [(400, "INVALID_QUERY")] * 2


async def test_a_share_owns_nothing(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1: With all fields and secrets shown a share gets no secret, no link and no attribute that no field maps to."""
    shop = await open_shop(STRIPE_EXPOSE_CLIENT_SECRET="true", **READS)
    opened(directus, shop)

    answers = {name: (await case.call(shop, HOLDER)).json() for name, case in PLAIN.items()}

    assert "client_secret" not in json.dumps(answers)
    assert "url" not in answers["checkout_sessions.retrieve"]
    assert {"id", "object", "name", "email"} <= set(answers["customers.retrieve"])
    assert "metadata" not in answers["customers.retrieve"]


@pytest.mark.parametrize("action", ["share", "update"])
async def test_only_by_reading(directus: DirectusDouble, open_shop: OpenShop, action: str) -> None:
    """O1: An operation that takes another permission than to read is not for shares, though it only reads."""
    shop = await open_shop({"customers.retrieve": f'action = "{action}"'}, **READS)
    holder = replace(HOLDER, permissions=grants(read=partial(), share=partial(), update=partial("name")))
    opened(directus, shop, holder)

    answer = await CASES["customers.retrieve"].call(shop, holder)

    assert answer.extensions["reason"] == "shared_item"


@pytest.mark.parametrize(
    ("permissions", "reason"),
    [
        (grants(read=full()), "shared_item"),
        (grants(read=partial("stripe_customer_id", "name")), "no_key_field"),
        (grants(read=partial("id", "name")), "no_id_field"),
        (grants(read=partial(), update=full()), "id_field_writable"),
        (grants("elsewhere", **ALL), "no_access"),
    ],
    ids=["whole access", "no key", "no ID", "writable ID", "elsewhere"],
)
async def test_odd_permissions(
    directus: DirectusDouble, open_shop: OpenShop, permissions: dict[str, dict[str, Mapping[str, object]]], reason: str
) -> None:
    """O1: A share whose permissions do not say that it may read one item is refused."""
    shop = await open_shop(**READS)
    holder = replace(HOLDER, permissions=permissions)
    opened(directus, shop, holder)

    answers = {name: await case.call(shop, holder) for name, case in PLAIN.items()}

    assert reasons(answers) == refused(PLAIN, reason)
    assert shop.stripe.asked == []


async def test_a_share_of_something_else(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1: The share of an item of another collection reads no customer, though Directus shows it some."""
    shop = await open_shop(**READS)
    opened(directus, shop, collection="organizations")

    answer = await shop.call(HOLDER)

    assert (answer.status, answer.extensions["reason"]) == (401, "shared_item")


async def test_a_share_that_is_over(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1: A share that ended, or was deleted, opens nothing at its next request, though its tokens live on."""
    shop = await open_shop(**READS)
    opened(directus, shop)
    before = await shop.call(HOLDER)
    del directus.shares[SHARE]

    after = await shop.call(HOLDER)

    assert (before.status, after.status, after.code) == (200, 401, "FORBIDDEN")


@pytest.mark.parametrize("share", [None, "", True, [SHARE], "../users/me?", "s", f"{SHARE}/x"], ids=str)
async def test_odd_shares(directus: DirectusDouble, open_shop: OpenShop, share: object) -> None:
    """O1: With ALLOW_SHARES=read a share whose ID is none is refused before Directus is asked."""
    shop = await open_shop(**READS)
    holder = replace(HOLDER, token=jwt(share=share, role=None))
    opened(directus, shop, holder)

    answer = await shop.call(holder)

    assert (answer.status, answer.extensions["reason"]) == (401, "no_user")
    assert directus.requests == []


async def test_a_share_with_a_user(directus: DirectusDouble, open_shop: OpenShop) -> None:
    """O1: A token that names a share and a user is neither's."""
    shop = await open_shop(**READS)
    holder = replace(HOLDER, token=jwt(share=SHARE, id="ada", role=None))
    opened(directus, shop, holder)

    assert (await shop.call(holder)).extensions["reason"] == "no_user"


@pytest.mark.parametrize(
    "told", [{}, {"collection": "customers"}, {"collection": "customers", "item": None}, {"id": "x"}], ids=str
)
async def test_odd_answers_about_a_share(
    directus: DirectusDouble, open_shop: OpenShop, told: dict[str, object]
) -> None:
    """O1, U1: An answer that does not say which item is shared is no answer."""
    shop = await open_shop(**READS)
    opened(directus, shop)
    directus.shares[SHARE] = told

    answer = await shop.call(HOLDER)

    assert (answer.status, answer.extensions["service"]) == (503, "directus")
    assert shop.stripe.asked == []
