"""Reading, creating and claiming items of the customers collection, at the right address."""

import itertools
import json
from collections.abc import Callable, Mapping

import pytest

from sidecar.clients.directus.client import DirectusClient
from sidecar.clients.directus.items import DirectusItems
from sidecar.clients.http import open_session
from sidecar.core.access.collection import CustomersCollection
from sidecar.core.interfaces import PrimaryKey
from sidecar.errors import DirectusUnavailable, ItemRefused
from tests.aioresponses_compat import Reply, Request, label, reply, upstream
from tests.doubles.fresh import asked_for
from tests.doubles.virtual_time import in_virtual_time
from tests.unit.clients.directus.sources import credential
from tests.unit.clients.loopback import loopback, whole

BASE = "http://directus.test"
CALLER = credential("the-token")
DOWN = reply({"errors": []}, status=503)


class Collection:
    """The collection under test, with its session."""

    def __init__(
        self, base: str = BASE, *, collection: str = "customers", timer: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._session = open_session(total=1, connect=1, connections=2)
        self._items = DirectusItems(
            DirectusClient(self._session, base, address_header="X-Forwarded-For"),
            collection=CustomersCollection(collection, "key", "cus"),
            claim_timeout=10,
            timer=timer,
        )

    async def __aenter__(self) -> DirectusItems:
        return self._items

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


STEPS: dict[str, Callable[[DirectusItems], object]] = {
    "read": lambda items: items.customer_id(CALLER, 7),
    "may update": lambda items: items.may_update(CALLER, 7),
    "create": lambda items: items.create(CALLER, {"name": "Ada"}),
    "claim": lambda items: items.claim(CALLER, 7, "cus_1"),
}


async def done(step: str, *replies: Reply, collection: str = "customers") -> tuple[object, Request]:
    with upstream(*replies) as directus:
        async with Collection(collection=collection) as items:
            result = await STEPS[step](items)  # type: ignore[misc]  # every step is awaitable
    return result, directus.requests[-1]


@pytest.mark.parametrize(("value", "customer_id"), [("cus_1", "cus_1"), (None, None), ("", None), (" ", " ")])
async def test_reading_a_customer_id(value: object, customer_id: str | None) -> None:
    """Two fields are requested; null and the empty text mean "no ID", and any other value stays untouched."""
    result, request = await done("read", reply({"data": {"key": 7, "cus": value}}))

    assert result == customer_id
    assert (request.method, asked_for(request.url)) == ("GET", f"{BASE}/items/customers/7?fields=key,cus")
    assert request.headers["Authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"key": 7},
        {"cus": "cus_1"},
        {"key": 7, "cus": 7},
        {"key": 7, "cus": ["cus_1"]},
        None,
        [{"key": 7, "cus": None}],
    ],
)
async def test_an_item_without_the_fields_is_no_answer(row: object) -> None:
    """A row that does not show both fields is no answer, and does not count as an empty item."""
    with pytest.raises(DirectusUnavailable):
        await done("read", reply({"data": row}))


@pytest.mark.parametrize("key", [8, "07", "7 ", None])
async def test_an_item_has_one_name(key: object) -> None:
    """W2: A row with another key than the requested one is refused: one item must not have two names."""
    with pytest.raises(ItemRefused) as refusal:
        await done("read", reply({"data": {"key": key, "cus": None}}))

    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("data", "allowed"),
    [
        ({"update": {"access": True}, "delete": {"access": False}}, True),
        ({"update": {"access": False}, "delete": {"access": True}}, False),
        ({"update": {"access": "full"}}, False),
        ({"update": {"access": 1}}, False),
        ({"update": True}, False),
        ({}, False),
        (None, False),
        ([], False),
    ],
)
async def test_only_a_clear_yes_allows_an_update(data: object, *, allowed: bool) -> None:
    """An item may be updated only if Directus answers exactly `true`."""
    result, request = await done("may update", reply({"data": data}))

    assert result is allowed
    assert asked_for(request.url) == f"{BASE}/permissions/me/customers/7"


@pytest.mark.parametrize("key", [1, "b2f0", 0])
async def test_creating_an_item(key: PrimaryKey) -> None:
    """A new item has the given values, and its primary key is returned."""
    result, request = await done("create", reply({"data": {"key": key, "cus": None}}))

    assert result == key
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/items/customers")
    assert request.parsed == {"name": "Ada"}
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("answer", [reply(body=b"", status=204), reply({"data": {}}), reply({"data": {"key": None}})])
async def test_a_created_item_that_its_creator_may_not_read(answer: Reply) -> None:
    """If the key of a new item stays unknown, the request ends with a message that names the missing right."""
    with pytest.raises(ItemRefused) as refusal:
        await done("create", answer)

    assert (refusal.value.status, refusal.value.code) == (403, "FORBIDDEN")
    assert '"read"' in refusal.value.message


@pytest.mark.parametrize(("changed", "claimed"), [([{"key": 7}], True), ([], False), (None, False), ({}, False)])
async def test_claiming_is_one_step(changed: object, *, claimed: bool) -> None:
    """The claim is one request that names the item and requires an empty ID field."""
    result, request = await done("claim", reply({"data": changed}))

    assert result is claimed
    assert (request.method, str(request.url)) == ("PATCH", f"{BASE}/items/customers")
    assert isinstance(request.parsed, dict)
    assert request.parsed["data"] == {"cus": "cus_1"}


def matches(rule: Mapping[str, object], row: Mapping[str, object]) -> bool:
    """Evaluate as much of Directus's filter rules as a claim may use (Directus, "Filter rules")."""
    for name, condition in rule.items():
        assert isinstance(condition, dict | list)
        if isinstance(condition, list):
            verdicts = [matches(inner, row) for inner in condition]
            if not {"_and": all, "_or": any}[name](verdicts):
                return False
        else:
            ((operator, operand),) = condition.items()
            value = row[name]
            truth = {"_eq": value == operand, "_empty": (value in {None, ""}) is operand}
            if not truth[operator]:
                return False
    return True


@pytest.mark.parametrize(
    ("row", "claimed"),
    [
        ({"key": 7, "cus": None}, True),
        ({"key": 7, "cus": "cus_2"}, False),
        ({"key": 8, "cus": None}, False),
        ({"key": 7, "cus": ""}, True),
        ({"key": 7, "cus": " "}, False),
    ],
)
async def test_a_claim_changes_only_an_empty_field(row: Mapping[str, object], *, claimed: bool) -> None:
    """W4: The claim's filter matches the named item only while its ID field is empty, and no other item."""
    _, request = await done("claim", reply({"data": []}))

    assert isinstance(request.parsed, dict)
    assert matches(request.parsed["query"]["filter"], row) is claimed


async def test_a_system_collection_has_its_own_address() -> None:
    """Items of directus_users are read at /users; permission is asked under the name of the collection."""
    _, reading = await done("read", reply({"data": {"key": 7, "cus": None}}), collection="directus_users")
    _, judging = await done("may update", reply({"data": {}}), collection="directus_users")

    assert asked_for(reading.url) == f"{BASE}/users/7?fields=key,cus"
    assert asked_for(judging.url) == f"{BASE}/permissions/me/directus_users/7"


@pytest.mark.parametrize(
    ("item", "segment"),
    [
        (7, "7"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a?fields=*", "a%3Ffields%3D%2A"),
        ("a#b", "a%23b"),
        ("%2e%2e", "%252e%252e"),
        ("Müller & Co 558f", "M%C3%BCller%20%26%20Co%20558f"),
        (" 50%", "%2050%25"),
        ('a+b,"c"', "a%2Bb%2C%22c%22"),
        ("ü", "%C3%BC"),
    ],
)
async def test_a_primary_key_is_one_segment(item: PrimaryKey, segment: str) -> None:
    """P1: Any primary key is one segment of the path on the wire."""
    answer = json.dumps({"data": {"key": item, "cus": None}}).encode()
    async with loopback(whole(answer)) as directus, Collection(directus.url) as items:
        await items.customer_id(CALLER, item)
        await items.may_update(CALLER, item)

    assert [asked_for(target) for target in directus.targets] == [
        f"/items/customers/{segment}?fields=key,cus",
        f"/permissions/me/customers/{segment}",
    ]


UNUSABLE = ["", " ", ".", "..", "../users", "a/../b", "a/.", "a\\..\\b", "a\r\nX: y", "x" * 256, "null", "true", "$NOW"]


@pytest.mark.parametrize("item", UNUSABLE)
@pytest.mark.parametrize("step", ["customer_id", "may_update", "claim"])
async def test_a_key_that_cannot_be_passed_on(step: str, item: str) -> None:
    """P1: A key that would be another path, or another value in a filter, is refused before Directus is asked."""
    with upstream(reply({"data": []})) as directus:
        async with Collection() as items:
            with pytest.raises(ItemRefused) as refusal:
                await getattr(items, step)(CALLER, item, *(["cus_1"] if step == "claim" else []))

    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_PAYLOAD")
    assert directus.requests == []


async def test_an_item_that_got_such_a_key() -> None:
    """If Directus gives a new item a key that cannot be passed on, the caller learns why it gets no customer."""
    with pytest.raises(ItemRefused, match="primary key"):
        await done("create", reply({"data": {"key": "a/../b", "cus": None}}))


async def test_names_are_encoded() -> None:
    """Names of the collection and of its fields are percent-encoded, whatever Directus serves."""
    odd = CustomersCollection("shop kunden&übersicht", "käse#", "cus%")
    async with loopback(whole(b'{"data": {"k\xc3\xa4se#": 7, "cus%": null}}')) as directus:
        session = open_session(total=1, connect=1, connections=1)
        client = DirectusClient(session, directus.url, address_header="X-Forwarded-For")
        items = DirectusItems(client, collection=odd, claim_timeout=1)
        await items.customer_id(CALLER, 7)
        await items.may_update(CALLER, 7)
        await session.close()

    name = "shop%20kunden%26%C3%BCbersicht"
    assert [asked_for(target) for target in directus.targets] == [
        f"/items/{name}/7?fields=k%C3%A4se%23,cus%25",
        f"/permissions/me/{name}/7",
    ]


def errors(*extensions: Mapping[str, object], status: int = 400) -> Reply:
    return reply({"errors": [{"message": "Ada Lovelace", "extensions": each} for each in extensions]}, status=status)


async def test_a_refusal_names_the_fields() -> None:
    """FAILED_VALIDATION names every field as Directus does, with the first one's rule, and no value."""
    first = {"code": "FAILED_VALIDATION", "field": "email", "type": "regex", "invalid": "Ada", "valid": "x", "path": []}
    answer = errors(
        first, {"code": "FAILED_VALIDATION", "field": "name"}, {"code": "FAILED_VALIDATION", "field": "name"}
    )

    with pytest.raises(ItemRefused) as refusal:
        await done("create", answer)

    assert refusal.value.message == "Directus does not let you create an item (FAILED_VALIDATION at email, name)."
    assert refusal.value.extensions == {"field": "email", "type": "regex"}


@pytest.mark.parametrize(
    "code",
    ["RECORD_NOT_UNIQUE", "NOT_NULL_VIOLATION", "VALUE_TOO_LONG", "VALUE_OUT_OF_RANGE", "INVALID_FOREIGN_KEY"],
)
async def test_a_refusal_by_the_database_names_the_field(code: str) -> None:
    """S3: A refusal of the database names collection and field, and not the value, which another item may have."""
    answer = errors({"code": code, "collection": "customers", "field": "email", "value": "Ada"})

    with pytest.raises(ItemRefused) as refusal:
        await done("create", answer)

    assert refusal.value.extensions == {"collection": "customers", "field": "email"}
    assert f"({code} at email)" in refusal.value.message


@pytest.mark.parametrize("field", [None, 7, "", "x" * 129, "a\nb", ["email"], {"a": 1}])
async def test_what_is_no_name_is_left_out(field: object) -> None:
    """S3: Only short visible texts are passed on as names."""
    with pytest.raises(ItemRefused) as refusal:
        await done("create", errors({"code": "FAILED_VALIDATION", "field": field}))

    assert refusal.value.extensions == {}
    assert "(FAILED_VALIDATION)" in refusal.value.message


async def test_a_hundred_faulty_fields() -> None:
    """A message names twenty fields at most."""
    with pytest.raises(ItemRefused) as refusal:
        await done("create", errors(*({"code": "FAILED_VALIDATION", "field": f"f{n}"} for n in range(100))))

    assert refusal.value.message.count("f1") == 11


async def test_a_singleton_is_named() -> None:
    """A singleton has no route to create an item: that is a cause in the log, and no refusal."""
    with pytest.raises(DirectusUnavailable) as unavailable:
        await done("create", errors({"code": "ROUTE_NOT_FOUND", "path": "/x"}, status=404))

    assert "singleton" in str(unavailable.value.detail)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "FORBIDDEN"),
        (401, "INVALID_CREDENTIALS"),
        (400, "FAILED_VALIDATION"),
        (400, "RECORD_NOT_UNIQUE"),
        (403, "RESOURCE_RESTRICTED"),
        (404, "NOT_FOUND"),
    ],
)
async def test_directus_says_no(step: str, status: int, code: str) -> None:
    """A refusal keeps Directus's status and code but not its message, which can quote the item."""
    answer = reply({"errors": [{"message": "Ada Lovelace", "extensions": {"code": code}}]}, status=status)

    with pytest.raises(ItemRefused) as refusal:
        await done(step, answer)

    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert "Ada" not in refusal.value.message


@pytest.mark.parametrize("step", ["read", "may update", "create"])
@pytest.mark.parametrize(
    "answer",
    [
        DOWN,
        reply({"errors": [{"extensions": {"code": "SERVICE_UNAVAILABLE"}}]}, status=503),
        reply({"errors": [{"extensions": {"code": "REQUESTS_EXCEEDED"}}]}, status=429),
        reply({"data": {}}, status=302),
        reply(body=b"<html>", status=403),
        reply({"no": "code"}, status=403),
        TimeoutError(),
    ],
    ids=label,
)
async def test_directus_says_nothing(step: str, answer: Reply) -> None:
    """An outage never counts as a refusal, and the request is not repeated here."""
    with upstream(answer) as directus:
        async with Collection() as items:
            with pytest.raises(DirectusUnavailable):
                await STEPS[step](items)  # type: ignore[misc]  # every step is awaitable

    assert len(directus.requests) == 1


@in_virtual_time
async def test_a_claim_is_tried_again_while_directus_is_away() -> None:
    """W3: The customer exists, so the claim repeats the same request through a short outage."""
    with upstream(DOWN, ConnectionResetError(), reply({"data": [{"key": 7}]})) as directus:
        async with Collection() as items:
            assert await items.claim(CALLER, 7, "cus_1")

    assert len(directus.requests) == 3
    assert directus.requests[0].body == directus.requests[2].body


@in_virtual_time
async def test_a_claim_gives_up_when_its_time_is_over() -> None:
    """W3: In a longer outage the claim retries at growing intervals and gives up within its time."""
    seconds = itertools.count()
    with upstream(DOWN) as directus:
        async with Collection(timer=lambda: next(seconds)) as items:
            with pytest.raises(DirectusUnavailable):
                await items.claim(CALLER, 7, "cus_1")

    assert 3 <= len(directus.requests) <= 10


@pytest.mark.parametrize(("holder", "claimed"), [("cus_1", True), ("cus_2", False), (None, False)])
@in_virtual_time
async def test_a_claim_whose_answer_was_lost(holder: str | None, *, claimed: bool) -> None:
    """W3: If a repeated claim changes nothing, it succeeded only if the item then shows exactly this ID."""
    row = reply({"data": {"key": 7, "cus": holder}})
    with upstream(TimeoutError(), reply({"data": []}), row):
        async with Collection() as items:
            assert await items.claim(CALLER, 7, "cus_1") is claimed


async def test_a_refused_claim_is_not_tried_again() -> None:
    """W3: A refusal by Directus is final."""
    answer = reply({"errors": [{"extensions": {"code": "FORBIDDEN"}}]}, status=403)
    with upstream(answer) as directus:
        async with Collection() as items:
            with pytest.raises(ItemRefused):
                await items.claim(CALLER, 7, "cus_1")

    assert len(directus.requests) == 1
