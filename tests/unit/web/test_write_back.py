"""Creating a customer for an item, through HTTP."""

import asyncio
import json

import pytest
from aiohttp import web

from tests.doubles import faults
from tests.doubles.directus import User, full, grants
from tests.doubles.invariants import log_records
from tests.doubles.running_app import CLERK, MEMBER, SERVICE_TOKEN, OpenApp, RunningApp
from tests.doubles.server import Recorded
from tests.doubles.stripe import is_probe

WRITING = {"STRIPE_WRITE_BACK": "true", "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN}


def writing_back(request: Recorded) -> bool:
    return request.method == "PATCH"


def by_callers(request: Recorded) -> bool:
    return not is_probe(request)


@pytest.fixture
async def writing(open_app: OpenApp) -> RunningApp:
    """The application with write-back by the service; a failing write is given up soon."""
    return await open_app(**WRITING, WRITE_BACK_TIMEOUT="0.3", DIRECTUS_TIMEOUT="0.5")


def own_item(app: RunningApp, **values: object) -> dict[str, object]:
    return app.directus.add_row(owner=MEMBER.name, **values)


def tokens_of(requests: list[Recorded], method: str) -> set[str]:
    return {value for request in requests if request.method == method for value in request.values("Authorization")}


@pytest.mark.parametrize("user", [CLERK, MEMBER], ids=["clerk", "member"])
async def test_item_given(writing: RunningApp, user: User) -> None:
    """The new ID is written into the item, and Stripe's customer names the item."""
    item = own_item(writing)

    answer = await writing.create(user, item=item["id"])

    assert answer.status == 201
    assert item["stripe_customer_id"] == answer.json()["id"]
    [customer] = writing.stripe.customers
    metadata = customer["metadata"]
    assert isinstance(metadata, dict)
    assert ("customers", str(item["id"])) == (metadata["directus_collection"], metadata["directus_item"])


async def test_item_created(writing: RunningApp) -> None:
    """Without an item one is created with the caller's token and the values of the request, and gets the ID."""
    answer = await writing.create(CLERK, name="Ada")

    [item] = writing.directus.rows["customers"].values()
    assert (201, item["stripe_customer_id"]) == (answer.status, answer.json()["id"])
    assert (CLERK.name, "ada@example.com", "Ada") == (item["owner"], item["email"], item["name"])
    assert {f"Bearer {CLERK.token}"} == tokens_of(writing.directus.requests, "POST")


async def test_who_writes(writing: RunningApp, open_app: OpenApp) -> None:
    """With a service token the service writes the ID and reads the result; without one the caller's token does."""
    await writing.create(item=own_item(writing)["id"])
    assert {f"Bearer {SERVICE_TOKEN}"} == tokens_of(writing.directus.requests, "PATCH")
    reading = [request for request in writing.directus.requests if request.path.startswith("/items/")]
    assert {f"Bearer {CLERK.token}"} == tokens_of(reading[:1], "GET")
    assert {f"Bearer {SERVICE_TOKEN}"} == tokens_of(reading[1:], "GET")

    without = await open_app(STRIPE_WRITE_BACK="true")
    writing.directus.requests.clear()
    await without.create(item=own_item(without)["id"])
    assert {f"Bearer {CLERK.token}"} == tokens_of(without.directus.requests, "PATCH")


async def test_item_with_an_id(writing: RunningApp) -> None:
    """W4: an item that has a customer is answered with that customer: 200, and nothing is created or written."""
    existing = writing.stripe.add_customer(email="first@example.com")
    item = own_item(writing, stripe_customer_id=existing["id"])

    answer = await writing.create(CLERK, email="other@example.com", item=item["id"])

    assert (200, existing["id"]) == (answer.status, answer.json()["id"])
    assert [existing] == writing.stripe.customers
    assert {"GET"} == {request.method for request in writing.directus.requests}


async def test_same_item_again(writing: RunningApp) -> None:
    """W4: a second request for the same item gives the same customer."""
    item = own_item(writing)

    first, second = await writing.create(item=item["id"]), await writing.create(item=item["id"])

    assert (201, 200, first.json()["id"]) == (first.status, second.status, second.json()["id"])
    assert len(writing.stripe.customers) == 1


async def test_same_item_at_once(writing: RunningApp) -> None:
    """W2: many concurrent requests for one item get one customer, all with the same ID."""
    item = own_item(writing)

    answers = await asyncio.gather(*(writing.create(item=item["id"]) for _ in range(10)))

    assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
    assert {item["stripe_customer_id"]} == {answer.json()["id"] for answer in answers}
    assert [line["new"] for line in log_records(writing.log, "customer created") if line["new"]] == [True]
    assert len(writing.stripe.customers) == 1


async def test_both_changes_are_told_in_the_audit(writing: RunningApp) -> None:
    """The customer's line comes right after Stripe's answer, the item's once its field has the ID."""
    item = own_item(writing)

    answer = await writing.create(item=item["id"])

    customer, linked = [line for line in map(json.loads, writing.log) if line["logger"] == "sidecar.audit"]
    assert [line["object"] for line in (customer, linked)] == [answer.json()["id"]] * 2
    assert (customer["message"], customer["new"], customer["item"]) == ("customer created", True, None)
    assert (linked["message"], linked["item"]) == ("customer linked to its item", item["id"])
    assert (linked["fields"], linked["write_back_pending"]) == (["stripe_customer_id"], False)


async def test_a_customer_without_an_item_is_told_in_the_audit(writing: RunningApp) -> None:
    """If another customer came into the item meanwhile, the one that belongs to no item is in the audit as well."""
    item, other = own_item(writing), writing.stripe.add_customer()

    async def racing(request: web.Request, handler: faults.Handler) -> web.StreamResponse:
        item["stripe_customer_id"] = other["id"]
        return await handler(request)

    writing.stripe.fail(racing, when=lambda request: request.method == "POST")

    answer = await writing.create(item=item["id"])

    assert (answer.status, answer.json()["id"]) == (200, other["id"])
    [line] = log_records(writing.log, "customer created")
    assert (line["object"], line["new"]) == (writing.stripe.customers[0]["id"], True)


async def test_item_with_an_id_that_is_shown_changes_nothing(writing: RunningApp) -> None:
    """An answer with the customer that the item has already is no change, so the audit has no line."""
    item = own_item(writing, stripe_customer_id=writing.stripe.add_customer()["id"])

    await writing.create(item=item["id"])

    assert not [line for line in writing.log if "sidecar.audit" in line]


async def test_foreign_item(writing: RunningApp) -> None:
    """R2: an item that the caller may not see is refused like a missing one, and Stripe is not asked."""
    foreign = writing.directus.add_row(owner="somebody")

    answers = [await writing.create(MEMBER, item=foreign["id"]), await writing.create(MEMBER, item=4711)]

    assert [(answer.status, answer.code) for answer in answers] == [(403, "FORBIDDEN")] * 2
    assert answers[0].body == answers[1].body
    assert writing.stripe.asked == []


async def test_item_that_may_only_be_read(writing: RunningApp) -> None:
    """R2: permission to read an item is not enough to give it a customer."""
    onlooker = User("onlooker", "MARKED-onlooker", grants(read=full(), create=full()))
    writing.directus.add_users([onlooker])
    writing.tokens.add(onlooker.token)

    answer = await writing.create(onlooker, item=own_item(writing)["id"])

    assert answer.code == "FORBIDDEN"
    assert writing.stripe.asked == []


@pytest.mark.parametrize(
    "item",
    ["../users/1", "1/..", ".", "..", "", " ", -1, 1.5, True, [1], {"id": 1}, "1\n", "x" * 300, 2**63, "null", "$NOW"],
)
async def test_unusable_primary_keys(writing: RunningApp, item: object) -> None:
    """V1: a primary key that cannot be passed on is 400 before it is put into any path."""
    answer = await writing.create(item=item)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert "item" in answer.message
    assert {"/permissions/me"} >= {request.path for request in writing.directus.requests}


@pytest.mark.parametrize(
    "key",
    ["Müller & Co 558f", "a/b", "x y", "50%", "a?b#c", "a+b", "a,b", '"q"', "日本 🎉", "1?fields=*", "a%2fb", "~"],
)
async def test_text_keys_as_people_make_them(writing: RunningApp, key: str) -> None:
    """A text key of any kind is percent-encoded, gets its customer, and is named in the customer's metadata."""
    item = own_item(writing, id=key)

    answers = [await writing.create(item=key) for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 200]
    [customer] = writing.stripe.customers
    assert isinstance(customer["metadata"], dict)
    assert (customer["id"], key) == (item["stripe_customer_id"], customer["metadata"]["directus_item"])


async def test_an_empty_text_is_an_empty_field(writing: RunningApp) -> None:
    """An item whose ID is an empty text, as in a column that cannot be null, gets a customer."""
    item = own_item(writing, stripe_customer_id="")

    answer = await writing.create(item=item["id"])

    assert (201, answer.json()["id"]) == (answer.status, item["stripe_customer_id"])


async def test_an_id_of_spaces_is_not_one_of_stripes(writing: RunningApp) -> None:
    """0 Stripe: an ID of spaces only is a conflict to be corrected, found before Stripe is asked."""
    answer = await writing.create(item=own_item(writing, stripe_customer_id=" ")["id"])

    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert writing.stripe.asked == []


async def test_item_without_write_back(app: RunningApp) -> None:
    """Without write-back an item is refused, not ignored."""
    answer = await app.create(item=1)

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(500),
        faults.reset_before_headers,
        faults.hang,
        faults.answer(403, '{"errors":[{"message":"","extensions":{"code":"FORBIDDEN"}}]}'),
    ],
    ids=["500", "reset", "hang", "forbidden"],
)
async def test_directus_fails_after_stripe_answered(writing: RunningApp, fault: faults.Fault) -> None:
    """W3: the caller learns the customer's ID and that it is still to be written; a retry writes it."""
    item = own_item(writing)
    writing.directus.fail(fault, when=writing_back)

    first = await writing.create(item=item["id"])
    writing.directus.recover()
    second = await writing.create(item=item["id"])

    assert (first.status, first.json()["write_back"], first.header("X-Write-Back")) == (201, "pending", "pending")
    [customer] = writing.stripe.customers
    assert customer["id"] == first.json()["id"] == second.json()["id"] == item["stripe_customer_id"]
    assert (second.status, second.header("X-Write-Back")) == (200, None)
    [line] = log_records(writing.log, "write-back pending")
    assert (item["id"], customer["id"]) == (line["item"], line["customer"])


@pytest.mark.parametrize(
    ("fault", "times", "patience"), [(faults.reset_after_work, 1, "600"), (faults.half_json, None, "0.3")]
)
async def test_write_that_succeeded_unheard(
    open_app: OpenApp, fault: faults.Fault, times: int | None, patience: str
) -> None:
    """W3: if Directus wrote the ID and its answers were lost, the outcome is the same as if they had arrived."""
    writing = await open_app(**WRITING, WRITE_BACK_TIMEOUT=patience)
    item = own_item(writing)
    writing.directus.fail(fault, when=writing_back, times=times)

    answer = await writing.create(item=item["id"])

    assert item["stripe_customer_id"] == answer.json()["id"]
    assert answer.header("X-Write-Back") is None


async def test_directus_fails_before_stripe(writing: RunningApp) -> None:
    """W3: if the item cannot be read, Stripe is not asked: 503."""
    item = own_item(writing)
    writing.directus.fail(faults.answer(500), when=lambda request: request.path.startswith("/items/"))

    answer = await writing.create(item=item["id"])

    assert (answer.status, answer.extensions["service"]) == (503, "directus")
    assert writing.stripe.asked == []


@pytest.mark.parametrize("given", [True, False], ids=["item-given", "item-created"])
async def test_stripe_fails(writing: RunningApp, given: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    """W3: an error of Stripe names the item, so that a retry creates no second item and no second customer."""
    attributes = {"item": own_item(writing)["id"]} if given else {}
    declined = json.dumps({"error": {"type": "invalid_request_error", "code": "email_invalid"}})
    writing.stripe.fail(faults.answer(400, declined), when=by_callers)

    failed = await writing.create(**attributes)
    writing.stripe.recover()
    item = failed.extensions["item"]
    again = await writing.create(item=item)

    assert (failed.status, again.status) == (400, 201)
    [row] = writing.directus.rows["customers"].values()
    assert (item, again.json()["id"]) == (row["id"], row["stripe_customer_id"])
    assert len(writing.stripe.customers) == 1


async def test_stripe_breaks_off_after_creating(writing: RunningApp) -> None:
    """U3, W3: if Stripe created the customer and its answer was lost for good, a retry finds the same customer."""
    item = own_item(writing)
    writing.stripe.fail(faults.reset_after_work, when=by_callers, times=3)

    failed = await writing.create(item=item["id"])
    again = await writing.create(item=item["id"])

    assert (failed.status, again.status) == (502, 200)
    [customer] = writing.stripe.customers
    assert again.json()["id"] == customer["id"] == item["stripe_customer_id"]


async def test_other_values_for_the_same_item(writing: RunningApp) -> None:
    """W6: a retry with another address, while the first customer's ID is not written, is a clear 409."""
    item = own_item(writing)
    writing.directus.fail(faults.answer(500), when=writing_back)
    await writing.create(item=item["id"])
    writing.directus.recover()

    answer = await writing.create(email="other@example.com", item=item["id"])

    assert answer.status == 409
    assert len(writing.stripe.customers) == 1


async def test_another_writer_was_first(writing: RunningApp) -> None:
    """W4: an ID that another writer put into the item meanwhile is not overwritten."""
    item = own_item(writing)
    other = writing.stripe.add_customer()

    async def overtaken(request: web.Request, handler: faults.Handler) -> web.StreamResponse:
        item["stripe_customer_id"] = other["id"]
        return await handler(request)

    writing.directus.fail(overtaken, when=writing_back)

    answer = await writing.create(item=item["id"])

    assert item["stripe_customer_id"] == other["id"]
    assert answer.status in {200, 409}
    assert answer.status == 409 or answer.json()["id"] == other["id"]


async def test_creator_who_may_not_read(writing: RunningApp) -> None:
    """If the caller may not learn the key of its new item, the item gets no customer, and the answer says why."""
    blind = User("blind", "MARKED-blind", grants(create=full()))
    writing.directus.add_users([blind])
    writing.tokens.add(blind.token)

    answer = await writing.create(blind)

    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert "read" in answer.message
    assert writing.stripe.asked == []


async def test_users_as_collection(open_app: OpenApp) -> None:
    """The ID can be stored on Directus's own users, which have another path."""
    boss = User("boss", "MARKED-boss", grants("directus_users", read=full(), create=full(), update=full()))
    app = await open_app(STRIPE_WRITE_BACK="true", STRIPE_CUSTOMERS_COLLECTION="directus_users")
    app.directus.add_users([boss])
    app.tokens.add(boss.token)
    row = app.directus.add_row("directus_users", id="5f0c1a3e-user", owner="x")

    answer = await app.create(boss, item=row["id"])

    assert (201, row["stripe_customer_id"]) == (answer.status, answer.json()["id"])
    assert {"/users/5f0c1a3e-user", "/users"} <= {request.path for request in app.directus.requests}
