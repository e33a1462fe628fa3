"""`check` against faulty upstreams, which a healthy Directus and Stripe cannot imitate."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from sidecar.clients.http import open_session
from sidecar.commands.check_directus import directus_lines
from sidecar.commands.check_rights import excess, is_provisioned, right_lines
from sidecar.commands.check_stripe import stripe_lines
from sidecar.commands.lines import Line, Word, show
from sidecar.commands.rights import Right, needed
from sidecar.core.access.permissions import Permissions
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.settings import Settings
from tests.doubles.directus import DirectusDouble
from tests.doubles.faults import Fault, answer, hang, redirect
from tests.doubles.stripe import StripeDouble


@pytest.fixture
def settings() -> Settings:
    return Settings(
        directus_url="http://127.0.0.1:1",
        directus_service_token=SecretStr("service"),
        stripe_live_secret_key=SecretStr("rk_test_x"),
        stripe_customers_collection="customers",
        stripe_write_back=True,
        sidecar_secret=(SecretStr("of-the-unit-tests-and-32-bytes-long"),),
    )


def moved(settings: Settings, **changes: object) -> Settings:
    return Settings.model_validate({**dict(settings), **changes})


async def lines_of(lines: AsyncIterator[Line]) -> list[Line]:
    return [line async for line in lines]


async def asked_directus(settings: Settings) -> list[Line]:
    async with open_session(total=0.3, connect=0.3, connections=1) as session:
        return await lines_of(directus_lines(settings, session))


async def asked_stripe(settings: Settings) -> list[Line]:
    async with open_session(total=5, connect=1, connections=1) as session:
        return [line for line in await lines_of(stripe_lines(settings, session)) if line.word is not Word.NOTE]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (answer(404, '{"errors": [{"extensions": {"code": "ROUTE_NOT_FOUND"}}]}'), "older than version 11"),
        (answer(404, "<html>Not found</html>", "text/html"), "no working Directus (status 404)"),
        (answer(200, "[]"), "no working Directus (status 200)"),
        (answer(503, '{"errors": [{"extensions": {"code": "SERVICE_UNAVAILABLE"}}]}'), "(status 503)"),
        (redirect("https://elsewhere.invalid/"), "(status 307)"),
        (hang, "TimeoutError"),
    ],
)
async def test_not_a_directus_that_we_can_use(
    directus: DirectusDouble, settings: Settings, fault: Fault, text: str
) -> None:
    """Anything but a working Directus of version 11 is one fault, and gets no further request."""
    directus.fail(fault)

    [line] = await asked_directus(moved(settings, directus_url=directus.url))

    assert line.word is Word.FAULT
    assert text in line.text
    assert len(directus.requests) == 1


async def test_the_first_question_has_no_token(directus: DirectusDouble, settings: Settings) -> None:
    """The service token is not sent before the server is known to be Directus."""
    await asked_directus(moved(settings, directus_url=directus.url))

    assert directus.requests[0].values("Authorization") == []


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (API_VERSION, []),
        ("2026-11-24.endive", [Word.NOTE]),
        ("2026-09-30.dahlia", [Word.FAULT]),
        ("2024-06-20", [Word.FAULT]),
        ("2027-03-31.fuji", [Word.FAULT]),
    ],
)
async def test_another_version_of_stripes_api(
    stripe: StripeDouble, settings: Settings, version: str, words: list[Word]
) -> None:
    """R6: another version of the same release is a note, one of another release a fault; both name the one made for."""
    stripe.key = "rk_test_x"
    other = moved(settings, stripe_api_base=stripe.url, stripe_api_version=version)
    async with open_session(total=5, connect=1, connections=1) as session:
        lines = await lines_of(stripe_lines(other, session))

    about = [line for line in lines if "STRIPE_API_VERSION" in line.text]
    assert words == [line.word for line in about]
    assert all(version in line.text and API_VERSION in line.text for line in about)


async def test_a_right_that_a_restricted_key_lacks(stripe: StripeDouble, settings: Settings) -> None:
    """A restricted key that may read customers but no PaymentIntents is reported as such, apart from a bad key."""
    lacking = answer(403, json.dumps({"error": {"type": "invalid_request_error", "code": "permission_denied"}}))
    stripe.key = "rk_test_x"
    stripe.fail(lacking, when=lambda request: request.path == "/v1/payment_intents")

    customers, payments = await asked_stripe(moved(settings, stripe_api_base=stripe.url))

    assert customers.word is Word.OK
    assert payments.word is Word.FAULT
    assert "no right to read PaymentIntents" in payments.text


STATUS = {"a": ("subscription.status",), "b": ("entitlements",), "c": ("default_payment_method.type",)}


@pytest.mark.parametrize("lacking", [None, "subscriptions", "payment_methods", "entitlements"])
async def test_rights_that_status_fields_need(stripe: StripeDouble, settings: Settings, lacking: str | None) -> None:
    """A key that may not read what fields repeat is a fault for each right; one that may is told so."""
    refusal = answer(403, json.dumps({"error": {"type": "invalid_request_error", "code": "permission_denied"}}))
    these = moved(hearing(settings), stripe_api_base=stripe.url, stripe_field_map=STATUS)
    stripe.key = "rk_test_x"
    stripe.add_customer()
    if lacking is not None:
        stripe.fail(refusal, when=lambda request: f"/v1/{lacking}" in request.path)

    lines = await asked_stripe(these)

    asked = {"subscriptions", "payment methods", "entitlements"}
    words = {name: line.word for line in lines for name in asked if f"read {name} (" in line.text}
    assert words == {name: Word.FAULT if name.replace(" ", "_") == lacking else Word.OK for name in asked}


async def test_entitlements_of_an_empty_account(stripe: StripeDouble, settings: Settings) -> None:
    """Stripe lists entitlements of one customer only, so without one nothing is claimed."""
    stripe.key = "rk_test_x"

    these = moved(hearing(settings), stripe_api_base=stripe.url, stripe_field_map=STATUS)
    async with open_session(total=5, connect=1, connections=1) as session:
        *_, last = await lines_of(stripe_lines(these, session))

    assert (last.word, "cannot be tried" in last.text) == (Word.NOTE, True)


async def test_stripes_words_are_not_repeated(stripe: StripeDouble, settings: Settings) -> None:
    """S3: A refused key is reported without Stripe's message, which quotes a part of the key."""
    [line] = await asked_stripe(
        moved(settings, stripe_api_base=stripe.url, stripe_live_secret_key=SecretStr("sk_test_MARKEDkeyEND"))
    )

    assert line.word is Word.FAULT
    assert "MARKED" not in line.text
    assert "yEND" not in line.text


async def test_payments_are_asked_for_sparingly(stripe: StripeDouble, settings: Settings) -> None:
    """Each list is requested with one object, which is enough to see the right to it."""
    await asked_stripe(moved(settings, stripe_api_base=stripe.url, stripe_live_secret_key=SecretStr(stripe.key)))

    assert [(request.path, request.query) for request in stripe.requests] == [
        ("/v1/customers", {"limit": "1"}),
        ("/v1/payment_intents", {"limit": "1"}),
    ]


def hearing(settings: Settings) -> Settings:
    return moved(settings, stripe_webhook_secret=(SecretStr("whsec_0123456789abcdef"),))


def permissions(**actions: tuple[str, list[str]]) -> Permissions:
    payload = {action: {"access": access, "fields": fields} for action, (access, fields) in actions.items()}
    return Permissions.from_directus({"customers": payload}, ["customers"])


def granted(rights: Iterable[Right]) -> Permissions:
    """Directus's permissions for the rights that `provision` gives."""
    payload: dict[str, dict[str, object]] = {}
    for right in rights:
        access = "partial" if right.item else "full"
        payload.setdefault(right.collection, {})[right.action] = {"access": access, "fields": list(right.fields)}
    return Permissions.from_directus(payload, payload)


@pytest.mark.parametrize("collection", ["customers", "directus_users"])
@pytest.mark.parametrize("realtime", [False, True])
@pytest.mark.parametrize("events", [False, True])
def test_provision_grants_not_too_much(settings: Settings, collection: str, *, realtime: bool, events: bool) -> None:
    """The rights that `provision` gives are enough, and no more than needed."""
    these = moved(settings, directus_realtime=realtime, stripe_customers_collection=collection)
    these = hearing(these) if events else these
    rights = granted(needed(these, realtime=realtime, mirrored=these.mirror.fields if events else None))

    assert excess(these, rights) is None
    assert [line.word for line in right_lines(these, rights)] == [Word.OK] * (3 if events else 2)


def test_a_token_that_may_not_read_policies(settings: Settings) -> None:
    """O2: check says where whole access cannot be told, because a right is missing, or has an item rule."""
    rights = [right for right in needed(settings, realtime=False) if right.collection != "directus_roles"]
    ruled = [replace(right, item={"id": {"_null": False}}) for right in needed(settings, realtime=False)]

    for these in (rights, ruled):
        [note] = [line for line in right_lines(settings, granted(these)) if "another policy" in line.text]
        assert note.word is Word.NOTE


def test_fields_that_events_update(settings: Settings) -> None:
    """The report names the fields that Stripe's events update, and the mapped fields that events cannot reach."""
    these = hearing(settings)

    _, _, kept, left = right_lines(these, granted(needed(these, realtime=False, mirrored=["name", "email"])))

    assert (kept.word, left.word) == (Word.OK, Word.NOTE)
    assert "customers.stripe_customer_id, name, email" in kept.text
    assert "customers has no field phone, address" in left.text


def test_fields_that_the_operator_named(settings: Settings) -> None:
    """A field of the operator's own map that events cannot reach is a fault, since their events fail."""
    these = hearing(moved(settings, stripe_field_map={"name": "name", "contact": "email"}))

    _, _, kept, left = right_lines(these, granted(needed(these, realtime=False, mirrored=["name"])))

    assert (kept.word, left.word) == (Word.OK, Word.FAULT)
    assert "may not read and change contact of customers" in left.text


def test_fields_that_may_only_be_read(settings: Settings) -> None:
    """A field that is there and that the token may not change is a fault, whoever named it."""
    fields = ["id", "stripe_customer_id", "name"]
    rights = permissions(read=("full", [*fields, "email"]), update=("full", fields))

    [fault] = [line for line in right_lines(hearing(settings), rights) if line.word is Word.FAULT]

    assert "may not read and change email of customers" in fault.text


@pytest.mark.parametrize(
    "rights",
    [
        permissions(read=("full", ["id", "stripe_customer_id"]), update=("partial", ["stripe_customer_id", "name"])),
        permissions(read=("full", ["id", "stripe_customer_id"]), update=("full", ["name"])),
        permissions(read=("full", ["id", "stripe_customer_id"])),
    ],
    ids=["some items", "not the ID", "nothing"],
)
def test_a_token_that_cannot_keep_the_id_true(settings: Settings, rights: Permissions) -> None:
    """A token provisioned without STRIPE_WEBHOOK_SECRET cannot clear an ID, which is a fault if events are on."""
    these = hearing(moved(settings, stripe_write_back=False))

    *_, line = right_lines(these, rights)

    assert line.word is Word.FAULT
    assert "may not clear customers.stripe_customer_id" in line.text
    assert "run `provision` with STRIPE_WEBHOOK_SECRET set" in line.text


def test_rights_that_only_events_need(settings: Settings) -> None:
    """A token that could clear an ID could also overwrite one, which is reported if events are off."""
    rights = granted(needed(settings, realtime=False, mirrored=["name"]))

    assert "overwrite customers.stripe_customer_id" in str(excess(settings, rights))


@pytest.mark.parametrize(
    ("rights", "named"),
    [
        (permissions(update=("full", ["stripe_customer_id", "owner"])), "update customers (owner)"),
        (permissions(read=("full", ["id", "name", "notes"])), "read customers (notes)"),
        (permissions(read=("full", ["*"])), "read customers (*)"),
        (permissions(delete=("full", ["*"])), "delete customers"),
    ],
)
def test_too_much_with_events(settings: Settings, rights: Permissions, named: str) -> None:
    """With events, too, any right beyond the mapped fields is reported."""
    assert named in str(excess(hearing(settings), rights))


def test_rights_that_only_realtime_needs(settings: Settings) -> None:
    """The right that DIRECTUS_REALTIME adds is reported if the setting is off."""
    plain, wide = needed(settings, realtime=False), needed(settings, realtime=True)

    added = {excess(settings, granted([*plain, right])) for right in wide if right not in plain}

    assert added == {"read directus_users (id)"}


@pytest.mark.parametrize("realtime", [False, True])
@pytest.mark.parametrize("mirrored", [None, ["name"]])
def test_a_token_of_provision(settings: Settings, mirrored: list[str] | None, *, realtime: bool) -> None:
    """A token of `provision` is known as one, whichever of the feed and events have been turned off since."""
    rights = granted(needed(settings, realtime=realtime, mirrored=mirrored))

    assert is_provisioned(settings, rights)
    assert not is_provisioned(settings, permissions(read=("full", ["*"])))


@pytest.mark.parametrize(
    ("rights", "named"),
    [
        (permissions(update=("full", ["stripe_customer_id"])), "overwrite"),
        (permissions(read=("full", ["*"])), "read customers (*)"),
        (permissions(update=("partial", ["stripe_customer_id", "email"])), "update customers (email)"),
        (permissions(create=("full", ["stripe_customer_id"])), "create customers"),
    ],
)
def test_too_much_is_named(settings: Settings, rights: Permissions, named: str) -> None:
    """Any other right is reported."""
    assert named in str(excess(settings, rights))


def test_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """One fault among other lines makes the exit code 1; without a fault it is 0."""
    good, bad = Line(Word.OK, "good"), Line(Word.FAULT, "bad")

    assert (show([good]), show([good, bad, good]), show([])) == (0, 1, 0)
    assert "FAULT      bad\n" in capsys.readouterr().out
