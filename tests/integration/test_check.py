"""`check` against a real Directus: what it approves, what it reports with a correction, and that it changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo import servers
from deploy.demo.admin import Rule
from deploy.demo.processes import free_port
from deploy.demo.stack import Stack
from tests.doubles.events import SECRET
from tests.doubles.stripe import StripeDouble
from tests.integration.commands import Ended, Place, place, run, token_of
from tests.integration.conftest import Newcomer
from tests.integration.nginx import OVERWRITES, nginx_before


@dataclass(frozen=True, slots=True)
class Checked:
    """A provisioned collection, with the service token that `provision` gave."""

    place: Place
    token: str

    @property
    def settings(self) -> dict[str, str]:
        of_stack = self.place.stack.settings
        stripe = {name: of_stack[name] for name in of_stack if name.startswith("STRIPE_")} | {"STRIPE_OPERATIONS": ""}
        directus = self.place.settings | {"DIRECTUS_SERVICE_TOKEN": self.token}
        patience = {"DIRECTUS_TIMEOUT": "20"}  # a Directus that has just started, on a busy machine
        return stripe | directus | patience | {"STRIPE_WRITE_BACK": "true", "TRUSTED_PROXIES": "127.0.0.1"}

    async def check(self, **settings: str) -> Ended:
        return await run("check", **(self.settings | settings))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def buyers(stack: Stack) -> AsyncIterator[Checked]:
    """A provisioned collection; a test that changes it uses `fresh` instead."""
    async with place(stack) as new:
        yield Checked(new, token_of(await new.provision()))


@pytest.fixture
async def fresh(stack: Stack) -> AsyncIterator[Checked]:
    async with place(stack) as new:
        yield Checked(new, token_of(await new.provision()))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unbelieving(stack: Stack) -> AsyncIterator[str]:
    """A second Directus on the same database, which reads the client's address only from a header of its own.

    Its WebSockets are off, so it announces no changes.
    """
    settings = {
        "IP_TRUST_PROXY": "false",
        "IP_CUSTOM_HEADER": "X-Client-Address",
        "WEBSOCKETS_ENABLED": "false",
        "RATE_LIMITER_ENABLED": "true",
        "RATE_LIMITER_POINTS": "10000",
    }
    async with servers.directus(stack.state / "directus", port=free_port(), settings=settings) as server:
        yield server.url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict(stack: Stack) -> AsyncIterator[str]:
    """A second Directus on the same database, whose WebSocket is elsewhere and wants the token in the upgrade."""
    settings = {"WEBSOCKETS_REST_PATH": "/realtime", "WEBSOCKETS_REST_AUTH": "strict"}
    async with servers.directus(stack.state / "directus", port=free_port(), settings=settings) as server:
        yield server.url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def heard(stack: Stack) -> AsyncIterator[Checked]:
    """A collection that was provisioned for the change feed."""
    async with place(stack) as new:
        yield Checked(new, token_of(await new.provision(DIRECTUS_REALTIME="true")))


def faults(ended: Ended) -> list[str]:
    return ended.texts("FAULT").splitlines()


async def test_all_is_well(buyers: Checked) -> None:
    """After `provision` there is no fault, every part is reported as good, and the exit code is 0."""
    ended = await buyers.check()

    good = ended.texts("ok")
    assert (ended.code, faults(ended), ended.err) == (0, [], "")
    for part in (
        "version 11",
        "unique",
        "primary key",
        "may fill",
        "no policy",
        "believes",
        "customers",
        "PaymentIntents",
    ):
        assert part in good
    assert "test mode" in good


async def test_it_changes_nothing(buyers: Checked) -> None:
    """It sends Stripe only GET requests, and Directus records nothing."""
    before = await buyers.place.stack.admin.request("GET", "/activity?limit=-1&fields=id")
    async with StripeDouble.running() as stripe:
        ended = await buyers.check(STRIPE_API_BASE=stripe.url, STRIPE_LIVE_SECRET_KEY=stripe.key)

        assert ended.code == 0
        assert {request.method for request in stripe.requests} == {"GET"}
    assert before == await buyers.place.stack.admin.request("GET", "/activity?limit=-1&fields=id")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"DIRECTUS_SERVICE_TOKEN": "MARKEDserviceTOKEN"},
        {"STRIPE_LIVE_SECRET_KEY": "rk_live_MARKEDkey"},
        {"DIRECTUS_URL": "http://127.0.0.1:1"},
    ],
)
async def test_no_secret_is_shown(buyers: Checked, settings: dict[str, str]) -> None:
    """S1: Neither key nor token is in the output, with good or bad settings."""
    ended = await buyers.check(**settings)

    used = buyers.settings | settings
    for name in ("DIRECTUS_SERVICE_TOKEN", "STRIPE_LIVE_SECRET_KEY"):
        assert used[name] not in ended.out + ended.err


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"STRIPE_CUSTOMERS_COLLECTION": "nowhere"}, "nowhere is not there"),
        ({"STRIPE_CUSTOMERS_COLLECTION": "customers"}, "customers is not there, or the service token may not read it"),
        ({"STRIPE_CUSTOMER_ID_FIELD": "nothing"}, ".nothing is not there"),
        ({"STRIPE_CUSTOMER_ID_FIELD": "stripe_custmer_id"}, "; did you mean stripe_customer_id? Correct"),
        (
            {"STRIPE_CUSTOMERS_PRIMARY_KEY": "stripe_customer_id"},
            ".stripe_customer_id is not the primary key, it is id",
        ),
        ({"SESSION_COOKIE_NAME": "sid"}, "from the cookie sid, but from directus_session_token: take SESSION_COOKIE"),
        ({"DIRECTUS_SERVICE_TOKEN": "nobodys"}, "refuses DIRECTUS_SERVICE_TOKEN (INVALID_CREDENTIALS)"),
        ({"DIRECTUS_URL": "http://127.0.0.1:1"}, "Directus cannot be reached (ClientConnectorError)"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, "Stripe gave no answer about customers (ClientConnectorError)"),
        ({"TRUSTED_PROXIES": "127.0.0.1,0.0.0.0/0"}, "TRUSTED_PROXIES believes everybody"),
    ],
)
async def test_a_wrong_setting_is_a_fault(buyers: Checked, settings: dict[str, str], fault: str) -> None:
    """Each wrong setting is named in its own fault, and the exit code is 1."""
    ended = await buyers.check(**settings)

    assert ended.code == 1
    assert fault in ended.texts("FAULT")


async def test_a_misspelt_collection(buyers: Checked) -> None:
    """A collection that is like the provisioned one is asked about, and nothing is advised that would make it."""
    ended = await buyers.check(STRIPE_CUSTOMERS_COLLECTION=buyers.place.collection.replace("buyers", "byuers"))

    [fault] = faults(ended)
    assert f"; did you mean {buyers.place.collection}? Correct STRIPE_CUSTOMERS_COLLECTION" in fault


async def test_a_misspelt_field_of_the_map(fresh: Checked, newcomer: Newcomer) -> None:
    """A field of the map that no policy has is asked about, though the service token sees no field but its own."""
    await newcomer(Rule(fresh.place.collection, "read", ("id", "name")))

    ended = await fresh.check(STRIPE_FIELD_MAP='{"nme": "name"}')

    assert f"no policy names a field nme of {fresh.place.collection}; did you mean name?" in ended.texts("FAULT")


async def test_a_misspelt_field_that_an_administrators_token_sees(buyers: Checked) -> None:
    """A service token that sees every field shows for certain that one is not there."""
    ended = await buyers.check(STRIPE_FIELD_MAP='{"stripe_id": "id"}', DIRECTUS_SERVICE_TOKEN=buyers.place.admin_token)

    assert f"STRIPE_FIELD_MAP: {buyers.place.collection} has no field stripe_id" in ended.texts("FAULT")


async def test_https_where_http_answers(buyers: Checked) -> None:
    """A Directus without TLS that is named with https is told so."""
    ended = await buyers.check(DIRECTUS_URL=buyers.place.stack.directus.url.replace("http:", "https:"))

    assert faults(ended) == ["what answers at DIRECTUS_URL speaks http: begin it with http://"]


async def test_a_path_of_directuss_app(buyers: Checked) -> None:
    """The address that a browser shows in Directus's app is told apart from Directus's own."""
    ended = await buyers.check(DIRECTUS_URL=f"{buyers.place.stack.directus.url}/admin")

    assert faults(ended) == ["DIRECTUS_URL ends with /admin, which is a part of Directus: take that away"]


async def test_another_server(buyers: Checked) -> None:
    """Another server at DIRECTUS_URL is not mistaken for Directus."""
    ended = await buyers.check(DIRECTUS_URL=buyers.place.stack.stripe_url)

    assert [line for line in faults(ended) if "no working Directus" in line]


async def test_field_not_unique(fresh: Checked) -> None:
    """A field that could contain an ID twice is a fault, and `provision` corrects it."""
    path = f"/fields/{fresh.place.collection}/{fresh.place.field}"
    await fresh.place.stack.admin.request("PATCH", path, {"schema": {"is_unique": False}})

    before = await fresh.check()
    await fresh.place.provision()
    after = await fresh.check()

    assert [line for line in faults(before) if "is not unique: run `provision`" in line]
    assert (before.code, after.code) == (1, 0)


async def test_no_right_to_write_back(fresh: Checked) -> None:
    """With STRIPE_WRITE_BACK a service token without update is a fault; without that setting it is none."""
    policy = await fresh.place.policy()
    [update] = [rule["id"] for rule in policy["permissions"] if rule["action"] == "update"]
    await fresh.place.stack.admin.request("DELETE", f"/permissions/{update}")

    on, off = await fresh.check(), await fresh.check(STRIPE_WRITE_BACK="false")

    assert [line for line in faults(on) if "may not update" in line]
    assert (on.code, off.code) == (1, 0)
    assert "STRIPE_WRITE_BACK is off" in off.texts("note")


async def test_a_token_with_too_many_rights(buyers: Checked) -> None:
    """A service token with more rights than needed, here an administrator's, works, and a note says to replace it."""
    ended = await buyers.check(DIRECTUS_SERVICE_TOKEN=buyers.place.admin_token)

    assert (ended.code, faults(ended)) == (0, [])
    assert "may do more than it needs: overwrite" in ended.texts("note")


async def test_webhooks(fresh: Checked) -> None:
    """With STRIPE_WEBHOOK_SECRET the fields that events update are named; without it their rights are too many."""
    await fresh.place.provision(STRIPE_WEBHOOK_SECRET=SECRET)

    on, off = await fresh.check(STRIPE_WEBHOOK_SECRET=SECRET), await fresh.check()

    kept = f"events keep true {fresh.place.collection}.{fresh.place.field}, name, email"
    assert (on.code, faults(on), "more than it needs" in on.out) == (0, [], False)
    assert kept in on.texts("ok")
    assert "has no field phone, address to keep true" in on.texts("note")
    assert "believes the addresses" in on.texts("ok")
    assert (off.code, "events" in off.out) == (0, False)
    assert "more than it needs: overwrite" in off.texts("note")
    assert SECRET not in on.out + on.err


async def test_webhooks_without_the_rights(buyers: Checked) -> None:
    """A service token made without STRIPE_WEBHOOK_SECRET lacks the rights that events need."""
    ended = await buyers.check(STRIPE_WEBHOOK_SECRET=SECRET)

    [fault] = faults(ended)
    assert ended.code == 1
    assert f"may not clear {buyers.place.collection}.{buyers.place.field}" in fault
    assert "run `provision` with STRIPE_WEBHOOK_SECRET set" in fault


async def test_realtime(fresh: Checked) -> None:
    """With DIRECTUS_REALTIME it tries the feed; without that setting the rights for the feed are too many."""
    await fresh.place.provision(DIRECTUS_REALTIME="true")

    on, off = await fresh.check(DIRECTUS_REALTIME="true"), await fresh.check()

    assert (on.code, "more than it needs" in on.out) == (0, False)
    assert "tells the service of its changes" in on.texts("ok")
    assert (off.code, "changes" in off.out) == (0, False)
    assert "more than it needs: read directus_users (id)" in off.texts("note")


async def test_realtime_without_the_rights(buyers: Checked) -> None:
    """A service token made without DIRECTUS_REALTIME hears nothing, or not everything, of what it may not read."""
    ended = await buyers.check(DIRECTUS_REALTIME="true")

    [fault] = faults(ended)
    assert "of every item of directus_users, so changes there" in fault
    assert "run `provision` with DIRECTUS_REALTIME=true" in fault


async def test_realtime_without_websockets(buyers: Checked, unbelieving: str) -> None:
    """A Directus with WebSockets off is a fault that names its setting, besides the fault about rights."""
    ended = await buyers.check(DIRECTUS_REALTIME="true", DIRECTUS_URL=unbelieving, IP_CUSTOM_HEADER="X-Client-Address")

    rights, switch = faults(ended)
    assert "changes there are not heard" in rights
    assert "set WEBSOCKETS_ENABLED=true there" in switch


async def test_realtime_elsewhere_and_strict(heard: Checked, strict: str) -> None:
    """The feed is followed at WEBSOCKETS_REST_PATH and with WEBSOCKETS_REST_AUTH=strict."""
    ended = await heard.check(DIRECTUS_REALTIME="true", DIRECTUS_URL=strict, WEBSOCKETS_REST_PATH="/realtime")

    assert (ended.code, faults(ended)) == (0, [])
    assert "tells the service of its changes" in ended.texts("ok")


@pytest.mark.parametrize(
    ("settings", "causes"),
    [
        ({"DIRECTUS_TIMEOUT": "2"}, ["its WEBSOCKETS_REST_PATH is /realtime, and here it is /websocket"]),
        (
            {"WEBSOCKETS_REST_PATH": "/realtime", "SESSION_COOKIE_NAME": "another"},
            ["take SESSION_COOKIE_NAME away here", "set SESSION_COOKIE_NAME here as there"],
        ),
    ],
)
async def test_realtime_set_up_otherwise(
    heard: Checked, strict: str, settings: dict[str, str], causes: list[str]
) -> None:
    """A path that is not Directus's is named, and a cookie for visitors and for the changes."""
    ended = await heard.check(DIRECTUS_REALTIME="true", DIRECTUS_URL=strict, **settings)

    assert ended.code == 1
    assert [cause in fault for cause, fault in zip(causes, faults(ended), strict=True)] == [True] * len(causes)


async def test_a_proxy_without_websockets(heard: Checked, tmp_path: Path) -> None:
    """A proxy that passes no WebSockets on is named, in one fault."""
    async with nginx_before(tmp_path, heard.place.stack.directus.url, websockets=False) as proxy:
        ended = await heard.check(DIRECTUS_REALTIME="true", DIRECTUS_URL=proxy)

    [fault] = faults(ended)
    assert "let proxies on the way to DIRECTUS_URL pass WebSockets on" in fault


async def test_a_proxy_that_appends(heard: Checked, tmp_path: Path) -> None:
    """Behind a proxy that appends to X-Forwarded-For and passes WebSockets on all is well."""
    async with nginx_before(tmp_path, heard.place.stack.directus.url) as proxy:
        ended = await heard.check(DIRECTUS_REALTIME="true", DIRECTUS_URL=proxy)

    assert (ended.code, faults(ended)) == (0, [])
    assert "believes the addresses" in ended.texts("ok")
    assert "X-Upstream" not in ended.out


async def test_a_proxy_that_overwrites(buyers: Checked, tmp_path: Path) -> None:
    """A proxy that overwrites X-Forwarded-For is named as the cause before Directus's setting is."""
    async with nginx_before(tmp_path, buyers.place.stack.directus.url, forwarded=OVERWRITES) as proxy:
        ended = await buyers.check(DIRECTUS_URL=proxy)

    [fault] = faults(ended)
    assert ended.code == 1
    assert 0 < fault.index("(Server: nginx") < fault.index("append to X-Forwarded-For") < fault.index("IP_TRUST_PROXY")


async def test_two_nodes_behind_one_proxy(buyers: Checked, strict: str, tmp_path: Path) -> None:
    """Two nodes that a proxy names in its answers are a note that says that they need Redis."""
    async with nginx_before(tmp_path, buyers.place.stack.directus.url, strict) as proxy:
        ended = await buyers.check(DIRECTUS_URL=proxy)

    assert (ended.code, faults(ended)) == (0, [])
    assert "differ in the header X-Upstream: if these are several nodes, they need Redis" in ended.texts("note")


async def test_one_limit_for_all(buyers: Checked, unbelieving: str) -> None:
    """All callers share a rate limit of a Directus that does not believe addresses, which is a fault of its own."""
    off = await buyers.check(DIRECTUS_URL=unbelieving)
    on = await buyers.check(DIRECTUS_URL=unbelieving, IP_CUSTOM_HEADER="X-Client-Address")

    assert [line for line in faults(off) if "all callers share one allowance of 10000 requests in 1 s" in line]
    assert "counts 10000 requests in 1 s for each caller's own address" in on.texts("ok")


async def test_a_policy_that_lets_callers_write_the_id(fresh: Checked, newcomer: Newcomer) -> None:
    """R5: A policy with an item rule for reading and the ID field for writing is a fault with name and correction."""
    collection, field = fresh.place.collection, fresh.place.field
    rule = {"id": {"_eq": 1}}
    somebody = await newcomer(Rule(collection, "read", item=rule), Rule(collection, "update", ("id", field), item=rule))

    ended = await fresh.check()

    [fault] = faults(ended)
    assert ended.code == 1
    assert f'"{somebody.name}"' in fault
    assert f"may update {collection}.{field} themselves" in fault
    assert f'take "{field}" out of its fields of "update"' in fault


async def test_policies_that_combine_to_write_the_id(fresh: Checked, newcomer: Newcomer) -> None:
    """R5: Two policies, one with the item rule and one with the ID field, are named in a note."""
    collection = fresh.place.collection
    member = await newcomer(Rule(collection, "read", item={"id": {"_eq": 1}}), Rule(collection, "update", ("name",)))
    clerk = await newcomer(Rule(collection, "create"))
    await newcomer(Rule(collection, "read"), Rule(collection, "update"))  # who has this too reads every item

    ended = await fresh.check()

    assert (ended.code, faults(ended)) == (0, [])
    assert f'"{clerk.name}", who may create {collection}.' in ended.texts("note")
    assert f'if they also have "{member.name}"' in ended.texts("note")


async def test_unreadable_policies(fresh: Checked) -> None:
    """If the service token may not read policies, a note says what remains unchecked, and how to allow it."""
    rules = (await fresh.place.policy())["permissions"]
    [seen] = [rule["id"] for rule in rules if rule["collection"] == "directus_policies"]
    await fresh.place.stack.admin.request("DELETE", f"/permissions/{seen}")

    before = await fresh.check()
    await fresh.place.provision()
    after = await fresh.check()

    assert (before.code, after.code) == (0, 0)
    assert "cannot be seen: run `provision`" in before.texts("note")
    assert "no policy that shows some items only" in after.texts("ok")


async def test_without_a_service_token(buyers: Checked) -> None:
    """Without a service token it says what it could not check, and which rights callers then need."""
    settings = {name: value for name, value in buyers.settings.items() if name != "DIRECTUS_SERVICE_TOKEN"}

    ended = await run("check", **settings)

    notes = ended.texts("note")
    assert (ended.code, faults(ended)) == (0, [])
    assert "cannot be looked at without DIRECTUS_SERVICE_TOKEN" in notes
    assert "as the caller, who must be allowed to read and update" in notes


async def test_ignored_address(buyers: Checked, unbelieving: str) -> None:
    """A Directus that does not read our forwarded address, which is Directus 12's default, is a fault."""
    ended = await buyers.check(DIRECTUS_URL=unbelieving)

    assert ended.code == 1
    assert [line for line in faults(ended) if "IP_TRUST_PROXY" in line]


async def test_addresses_in_another_header(buyers: Checked, unbelieving: str) -> None:
    """With Directus's header named in IP_CUSTOM_HEADER the same Directus believes our address."""
    ended = await buyers.check(DIRECTUS_URL=unbelieving, IP_CUSTOM_HEADER="X-Client-Address")

    assert (ended.code, faults(ended)) == (0, [])
    assert "believes the addresses" in ended.texts("ok")


async def test_key_refused(buyers: Checked) -> None:
    """U2: A key that Stripe refuses is one fault that names the setting."""
    async with StripeDouble.running() as stripe:
        ended = await buyers.check(STRIPE_API_BASE=stripe.url, STRIPE_LIVE_SECRET_KEY="sk_test_another")

    [fault] = faults(ended)
    assert "does not accept the key (test mode): set a valid one in STRIPE_LIVE_SECRET_KEY" in fault
    assert ended.code == 1


async def test_live_key(buyers: Checked) -> None:
    """A live key is reported as live."""
    async with StripeDouble.running() as stripe:
        stripe.key = "rk_live_double"
        ended = await buyers.check(STRIPE_API_BASE=stripe.url, STRIPE_LIVE_SECRET_KEY=stripe.key)

    assert ended.code == 0
    assert "live mode, real money" in ended.texts("ok")


async def test_proxies_not_named(buyers: Checked) -> None:
    """Empty TRUSTED_PROXIES is a note, since there may be no proxy."""
    ended = await buyers.check(TRUSTED_PROXIES="")

    assert ended.code == 0
    assert "TRUSTED_PROXIES is empty" in ended.texts("note")


async def test_unusable_settings(tmp_path: Path) -> None:
    """L5: Unusable settings end it with exit code 2, every fault named and nothing asked."""
    ended = await run("check", DIRECTUS_URL="ftp://x", DIRECTUS_SERVICE_TOKEN_FILE=str(tmp_path / "absent"))

    assert (ended.code, ended.out) == (2, "")
    for name in ("DIRECTUS_URL", "DIRECTUS_SERVICE_TOKEN", "STRIPE_LIVE_SECRET_KEY", "STRIPE_CUSTOMERS_COLLECTION"):
        assert name in ended.err
