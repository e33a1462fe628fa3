"""Keys and sessions for Stripe's SDKs: for one's own customer, to its own caller, by the SDK's version of the API."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.doubles.directus import DirectusDouble
from tests.doubles.faults import answer as faulty
from tests.doubles.invariants import nothing_shows
from tests.doubles.running_app import RunningApp
from tests.doubles.stripe import CLIENT_SECRET
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES, SECRET_CASES, Case, asked_as, expected
from tests.unit.web.table.conftest import OpenShop
from tests.unit.web.table.people import CLERK, MANAGER, OUTSIDER, TENANT
from tests.unit.web.table.test_shares import HOLDER, opened

CONSENT = {"STRIPE_EXPOSE_CLIENT_SECRET": "true"}
KEYS, SESSIONS = SECRET_CASES["ephemeral_keys.create"], SECRET_CASES["customer_sessions.create"]
SECRETS = {KEYS.name: "ek_test_", SESSIONS.name: "cuss_secret_"}
every_case = pytest.mark.parametrize("case", SECRET_CASES.values(), ids=SECRET_CASES)
SOON = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
LATER = (datetime.now(UTC).date() + timedelta(days=800)).isoformat()


@pytest.fixture
async def shop(open_shop: OpenShop) -> RunningApp:
    """The shop whose operator exposes secrets."""
    shop = await open_shop(**CONSENT)
    shop.shows_client_secrets = True
    return shop


def has_secret(case: Case, answer: Answer) -> bool:
    return SECRETS[case.name] in answer.raw.decode()


@every_case
async def test_for_ones_own_customer(shop: RunningApp, case: Case) -> None:
    """A caller gets the secret for its own customer, named or filled in, and nothing else beyond the base."""
    named, filled = await case.call(shop, TENANT), await case.having(customer=None).call(shop, TENANT)

    [secret] = case.row.resource.secrets
    for answer in (named, filled):
        assert (answer.status, has_secret(case, answer)) == (201, True)
        assert set(answer.json()) <= case.row.resource.base | {secret.name}
    assert [asked_as(each) for each in shop.stripe.asked] == [expected(case)] * 2


@every_case
@pytest.mark.parametrize("word", ["FOREIGN", "ABSENT"])
async def test_for_no_other_customer(shop: RunningApp, case: Case, word: str) -> None:
    """R1: another customer, and one that does not exist, are refused alike, before Stripe is asked."""
    answer = await case.about(word).call(shop, TENANT)

    assert (answer.status, answer.extensions["reason"]) == (401, "not_visible")
    assert shop.stripe.asked == []


@every_case
async def test_whole_access_names_the_customer(shop: RunningApp, case: Case) -> None:
    """Who has access to every customer says for which one, and sees the secret only with every attribute."""
    unnamed = [await case.having(customer=None).call(shop, user) for user in (MANAGER, CLERK)]
    asked = [*shop.stripe.asked]
    named = [await case.call(shop, user) for user in (MANAGER, CLERK)]

    assert ([(each.status, each.code) for each in unnamed], asked) == ([(400, "INVALID_PAYLOAD")] * 2, [])
    assert [(each.status, has_secret(case, each)) for each in named] == [(201, True), (201, False)]


@every_case
async def test_who_may_not(open_shop: OpenShop, directus: DirectusDouble, case: Case) -> None:
    """O1: neither a share, nor a caller without permission, nor one without a row gets any, and Stripe is not asked."""
    shop = await open_shop(**CONSENT, ALLOW_SHARES="read")
    opened(directus, shop)

    answers = [await case.call(shop, user) for user in (HOLDER, OUTSIDER, None, TENANT)]  # the share took the row

    assert [each.status for each in answers] == [401] * 4
    assert shop.stripe.asked == []


@every_case
async def test_the_same_key_again(shop: RunningApp, case: Case) -> None:
    """W5: the same caller's same key gives the same secret, and another caller's gives another one."""
    key = ("Idempotency-Key", "one")

    first, again, other = [await case.call(shop, user, key) for user in (TENANT, TENANT, MANAGER)]

    assert first.body == again.body
    assert other.json() != first.json()


@every_case
async def test_secrets_are_in_no_log(shop: RunningApp, case: Case) -> None:
    """S1: neither log nor metrics have the secret; the audit tells that one was made."""
    answer, [secret] = await case.call(shop, TENANT), case.row.resource.secrets
    metrics = await shop.call(target="/metrics")

    nothing_shows({answer.json()[secret.name]}, [*shop.log, metrics.body.decode()])
    assert [json.loads(line)["operation"] for line in shop.log if "changed at Stripe" in line] == [case.name]


@pytest.mark.parametrize("named", ["cus_FOREIGN", None])
async def test_a_key_of_another_customer(shop: RunningApp, named: str | None) -> None:
    """If Stripe answers with a key that is not the customer's, that is 502, and the key is not shown."""
    objects = [{"type": "customer", "id": named}] if named else []
    key = {"id": "ephkey_1", "object": "ephemeral_key", "associated_objects": objects, "secret": "ek_test_MARKED"}
    shop.stripe.fail(faulty(200, json.dumps(key)), when=lambda request: request.method == "POST")

    answer = await KEYS.call(shop, TENANT)

    assert (answer.status, b"MARKED" in answer.raw) == (502, False)


async def test_a_key_leaves_by_its_own_route_alone(shop: RunningApp) -> None:
    """S1: where Stripe answers anything else with a key, no caller gets it."""
    key = {"object": "ephemeral_key", "associated_objects": [{"type": "customer", "id": "cus_OWN"}]}
    lie = faulty(200, json.dumps({**key, "id": "ephkey_1", "customer": "cus_OWN", "secret": "ek_test_MARKED"}))
    shop.stripe.fail(lie)

    answers = [
        await CASES[name].call(shop, user)
        for name in ("payment_intents.retrieve", "setup_intents.create", "customers.retrieve")
        for user in (TENANT, MANAGER)
    ] + [await SESSIONS.call(shop, MANAGER)]

    assert not [answer for answer in answers if b"MARKED" in answer.raw]


@pytest.mark.parametrize("version", ["2020-03-02", "2020-08-27", "2023-10-16", "2024-09-30.acacia", f"{SOON}.later"])
async def test_the_sdks_version_is_passed_on(shop: RunningApp, version: str) -> None:
    """A version that an SDK asks for reaches Stripe for this one call; other calls have the service's own."""
    answer = await KEYS.call(shop, TENANT, ("Stripe-Version", version))
    await CASES["payment_intents.retrieve"].call(shop, TENANT, ("Stripe-Version", version))
    await SESSIONS.call(shop, TENANT, ("Stripe-Version", version))

    sent = [request.values("Stripe-Version") for request in shop.stripe.asked]
    assert answer.status == 201
    assert sent == [[version], ["2026-10-28.endive"], ["2026-10-28.endive"]]


@pytest.mark.parametrize(
    "version",
    [
        *("", "2020", "2020-13-01", "2020-8-27", "20200827", "2020-W35-4", "2020-03-01", "2015-10-12", "1999-01-01"),
        *(LATER, f"{LATER}.later", "9999-12-31", "2024-09-30", "2023-10-16.acacia", "2026-10-28.", "2026-10-28.Endive"),
        *("2020-08-27;us_bank_account_beta=v2", "2020-08-27, 2020-08-27", f"2026-10-28.{'a' * 31}", "٢٠٢٠-٠٨-٢٧"),
    ],
)
async def test_a_version_of_no_sdk(shop: RunningApp, version: str) -> None:
    """P4, V1: a malformed, too old or far future version is a clear 400, and Stripe is not asked."""
    answer = await KEYS.call(shop, TENANT, ("Stripe-Version", version))

    assert (answer.status, answer.code) == (400, "INVALID_PAYLOAD")
    assert answer.message.startswith("Stripe-Version: send it once")
    assert shop.stripe.asked == []


async def test_the_version_once(shop: RunningApp) -> None:
    """P4: without the header, and with two of them, it is a 400."""
    body, json_type = b'{"customer": "cus_OWN"}', ("Content-Type", "application/json")
    twice = [("Stripe-Version", "2020-08-27")] * 2

    answers = [
        await shop.call(TENANT, "/stripe/ephemeral_keys", method="POST", headers=[json_type, *more], body=body)
        for more in ([], twice)
    ]

    assert [(each.status, each.code) for each in answers] == [(400, "INVALID_PAYLOAD")] * 2
    assert shop.stripe.asked == []


async def test_a_page_may_send_the_version(open_shop: OpenShop) -> None:
    """X3: a listed origin's page may send the SDK's version where it is read, and nowhere else."""
    shop = await open_shop(**CONSENT, ALLOWED_ORIGINS="https://app.example.com")
    shop.lets_origins_in = True
    origin = ("Origin", "https://app.example.com")

    allowed = [
        (await shop.call(None, f"/stripe{path}", method="OPTIONS", headers=[origin])).header(
            "Access-Control-Allow-Headers"
        )
        for path in ("/ephemeral_keys", "/customer_sessions")
    ]

    usual = "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
    assert allowed == [f"{usual}, Stripe-Version", usual]


@pytest.mark.parametrize(
    "components",
    [
        {},
        {"payment_element": {}},
        {"payment_element": {"enabled": "yes"}},
        {"payment_element": {"enabled": True, "features": {"payment_method_redisplay_limit": 11}}},
        {"payment_element": {"enabled": True, "features": {"payment_method_remove": "always"}}},
        {"customer_sheet": {"enabled": True, "features": {"payment_method_allow_redisplay_filters": ["all"]}}},
        {"customer_portal": {"enabled": True}},
    ],
    ids=str,
)
async def test_components_are_bounded(shop: RunningApp, components: dict[str, object]) -> None:
    """V1: a component that the row does not name, or a feature that Stripe does not know, is a 400."""
    answer = await SESSIONS.having(components=components).call(shop, TENANT)

    assert (answer.status, answer.code, shop.stripe.asked) == (400, "INVALID_PAYLOAD", [])
    assert CLIENT_SECRET not in answer.raw.decode()
