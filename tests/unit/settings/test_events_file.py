"""The operator's file of events: every word counts, and every fault is found and names its table."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sidecar.core.flows.deliver_event import payload
from sidecar.core.flows.event_rules import EventRule, ItemTarget
from sidecar.core.flows.events import Event, ObjectReference
from sidecar.core.operations.event_types import EVENT_TYPES, kind_of
from sidecar.core.operations.resources import RESOURCES
from sidecar.settings import OperationsSettings
from sidecar.settings.events_file import parse_event_rules, read_event_rules
from sidecar.settings.toml_file import FileFault
from tests.documents.pages import SIDECAR, block_after

FLOW = "3c1f0b6a-6f0c-4f5e-9d0a-2b8f6c1d7e90"
READABLE = sorted(name for name in EVENT_TYPES if kind_of(name) in RESOURCES)


def parsed(text: str, version: str | None = None) -> tuple[EventRule, ...]:
    return parse_event_rules(text, "customers", **({} if version is None else {"version": version}))


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFault) as fault:
        parsed(text)
    return fault.value.faults


def of_invoice(line: str) -> list[str]:
    """Give the faults of one table, without its name."""
    return [fault.removeprefix('[events."invoice.paid"]: ') for fault in faults(f'[events."invoice.paid"]\n{line}')]


def test_every_word_counts() -> None:
    """Each table becomes a rule: its Flow, its collection and key, and the path of each field."""
    text = f"""
        [events."invoice.paid"]
        flow = "{FLOW}"
        fields = {{ total = "amount_paid", city = "customer_address.city", order = "metadata.order no. 1" }}
        [events."checkout.session.completed"]
        collection = "orders"
        key = "session_id"
        fields = {{ status = "payment_status" }}
        [events."customer.created"]
        flow = "{FLOW.upper()}"
        collection = "people"
        key = "stripe"
        fields = {{ name = "name", first = "preferred_locales.0" }}
    """

    assert parsed(text) == (
        EventRule(
            "invoice.paid",
            FLOW,
            None,
            {"total": ("amount_paid",), "city": ("customer_address", "city"), "order": ("metadata", "order no. 1")},
        ),
        EventRule(
            "checkout.session.completed", None, ItemTarget("orders", "session_id"), {"status": ("payment_status",)}
        ),
        EventRule(
            "customer.created",
            FLOW,
            ItemTarget("people", "stripe"),
            {"name": ("name",), "first": ("preferred_locales", "0")},
        ),
    )


def test_the_documents_example() -> None:
    """The file in sidecar/README.md can be used, and tells a Flow what stands there."""
    paid, bought = parsed(block_after(SIDECAR, "events"))
    example = json.loads(block_after(SIDECAR, "told"))
    address, metadata = {"city": "London"}, {"order": "7"}
    invoice = {"amount_paid": 1200, "currency": "eur", "customer_address": address, "metadata": metadata}
    about = ObjectReference("invoice", "in_1QABC")
    event = Event("evt_1QABC", paid.type, livemode=True, object=about, created=1_796_084_319)

    assert payload(event, about, paid.told(invoice)) == example
    assert bought.target == ItemTarget("orders", "session_id")


def test_rules_need_the_webhook_secret(tmp_path: Path) -> None:
    """A file that starts something needs STRIPE_WEBHOOK_SECRET; one without a table does not."""
    file = tmp_path / "events.toml"
    base = {"directus_url": "http://localhost", "stripe_customers_collection": "customers", "stripe_events": str(file)}
    file.write_text("# nothing")
    OperationsSettings.model_validate(base)
    file.write_text(block_after(SIDECAR, "events"))

    with pytest.raises(ValidationError, match="STRIPE_EVENTS: needs STRIPE_WEBHOOK_SECRET"):
        OperationsSettings.model_validate(base)


def test_without_fields_a_flow_is_told_everything() -> None:
    """A Flow needs no `fields`."""
    assert parsed(f'[events."invoice.paid"]\nflow = "{FLOW}"') == (EventRule("invoice.paid", FLOW),)


@pytest.mark.parametrize("text", ["", "# nothing\n", "[events]\n"])
def test_an_empty_file_starts_nothing(text: str) -> None:
    """A file without a table starts nothing."""
    assert parsed(text) == ()


@pytest.mark.parametrize("name", ['"customer.subscription.updated"', "customer.subscription.updated"])
def test_a_type_may_be_quoted_or_not(name: str) -> None:
    """A type is the same with quotes and without, beside one that is a part of it."""
    text = f'[events.{name}]\nflow = "{FLOW}"\n[events.customer.updated]\nflow = "{FLOW}"\n'

    assert {rule.type for rule in parsed(text)} == {"customer.subscription.updated", "customer.updated"}


@pytest.mark.parametrize("name", READABLE)
def test_every_type_whose_object_can_be_read(name: str) -> None:
    """Every type can be named whose kind of object the service can ask for."""
    [rule] = parsed(f'[events."{name}"]\nflow = "{FLOW}"\nfields = {{ gone = "deleted", that = "id" }}')

    assert rule.type == name


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", ["names neither a flow nor a collection; name what the event starts"]),
        ("flow = 7", ["flow: must be the ID of a Flow"]),
        ('flow = "3c1f0b6a"', ["flow: must be the ID of a Flow"]),
        (f'flow = "{FLOW}/../x"', ["flow: must be the ID of a Flow"]),
        (f'flow = "{{{FLOW}}}"', ["flow: must be the ID of a Flow"]),
        (f'flows = "{FLOW}"', ["there is no setting flows; did you mean flow?"]),
        ('collection = "orders"', ["collection: needs key", "collection: needs fields"]),
        (f'flow = "{FLOW}"\nkey = "a"', ["key: is for a collection only"]),
        ('collection = "directus_users"\nkey = "a"', ["collection: must be a collection of yours"]),
        ('collection = "Directus_Users"\nkey = "a"', ["collection: must be a collection of yours"]),
        ('collection = "customers"\nkey = "a"', ["collection: must not be the customers collection"]),
        ('collection = "a/b"\nkey = "a"', ["collection: must be a collection that Directus serves"]),
        ('collection = ""\nkey = "a"', ["collection: must be a name of 1 to 128 visible characters"]),
        ('collection = "orders"\nkey = "a.b"', ["key: must be a field of the collection itself"]),
        ('collection = "orders"\nkey = "a"\nfields = {}', ["fields: must name attributes"]),
        ('collection = "orders"\nkey = "a"\nfields = { a = "id" }', ["fields: must not name the key"]),
        (f'flow = "{FLOW}"\nfields = {{ id = "number" }}', ["fields: a flow is always told id and object"]),
        (f'flow = "{FLOW}"\nfields = {{ "a.b" = "number" }}', ["fields: a.b: must be a field of the collection"]),
    ],
)
def test_what_a_table_must_say(line: str, said: list[str]) -> None:
    """A value that cannot work is refused with what it must be, and a setting that there is not with a similar one."""
    found = of_invoice(line)

    assert [fault[: len(start)] for fault, start in zip(found, said, strict=True)] == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("amount_payed", "Stripe's invoice has no attribute amount_payed; did you mean amount_paid?"),
        ("nothing.like.it", "Stripe's invoice has no attribute nothing"),
        ("quantity", "Stripe's invoice has no attribute quantity"),
        ("customer.email", "customer is the ID of another object, which is not read; name customer alone"),
        ("status.x", "status is one value and has no parts; name status alone"),
        ("client_secret", "leads to a secret of Stripe's, and no event passes one on; take it out"),
        ("confirmation_secret.client_secret", "leads to a secret of Stripe's, and no event passes one on; take it out"),
        ("payments.use_stripe_sdk", "leads to a secret of Stripe's, and no event passes one on; take it out"),
        ("", "must name attributes"),
        (".", "must name attributes"),
        ("number.", "must name attributes"),
        ("Number", "must name attributes"),
        ("number\\n", "must name attributes"),
        ("lines.data[0]", "must name attributes"),
        ("lines" + ".a" * 10, "must name attributes"),
        ("x" * 65, "must name attributes"),
        ("metadata.", "must name attributes"),
        ("metadata." + "x" * 41, "must name attributes"),
    ],
)
def test_where_a_path_may_lead(path: str, said: str) -> None:
    """A path begins with an attribute of that kind of object, leads on only where there is more, and to no secret."""
    [fault] = of_invoice(f'flow = "{FLOW}"\nfields = {{ total = "{path}" }}')

    assert fault.startswith(f"fields: total: {said}")


def test_all_faults_at_once() -> None:
    """All faults are told together, each with the name of its table."""
    text = f"""
        [operations]
        [events."invoice.payed"]
        flow = "{FLOW}"
        [events."entirely.unknown"]
        flow = "{FLOW}"
        [events."invoice.upcoming"]
        flow = "{FLOW}"
        [events."charge.failed"]
        flow = "x"
        collection = "directus_roles"
        [events."refund.created"]
    """

    assert [fault.partition(";")[0].partition(", such")[0].partition(": Directus")[0] for fault in faults(text)] == [
        '[operations]: must be called [events."TYPE OF EVENT"]',
        '[events."invoice.payed"]: Stripe has no such type of event',
        '[events."entirely.unknown"]: Stripe has no such type of event',
        '[events."invoice.upcoming"]: these events are about no object that this service can ask Stripe for',
        '[events."charge.failed"]: flow: must be the ID of a Flow, with which its address in Directus ends',
        '[events."charge.failed"]: collection: must be a collection of yours',
        '[events."refund.created"]: names neither a flow nor a collection',
    ]
    assert "did you mean invoice.paid?" in faults(text)[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[events", "the file is not TOML"),
        ("events = 7", "[events]: must be a table"),
        ('[events]\n"invoice.paid" = 7', '[events."invoice.paid"]: must be a table'),
        ("[events.invoice]", '[events."invoice"]: Stripe has no such type of event'),
        ("[events.customer.subscription]", '[events."customer.subscription"]: Stripe has no such type of event'),
        ("[events.invoice]\npaid = 7", '[events."invoice"]: Stripe has no such type of event'),
        ('[events."invoice.paid"]\n[events."invoice.paid"]', "[events.invoice.paid]: is there twice"),
        ('[events."invoice.paid"]\n[events.invoice.paid]', '[events."invoice.paid"]: is there twice'),
        (f'[events."{"x" * 5000}"]', f'[events."{"x" * 100}…"]: Stripe has no such type'),
        ('[events."a\\nb"]', '[events."a\\nb"]: Stripe has no such type'),
        (f"[events{'.customer' * 3000}]", '[events."customer.customer"]: Stripe has no such type'),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_table_of_a_type(text: str, said: str) -> None:
    """Other shapes of the file are faults of one short line each."""
    assert faults(text)[0].startswith(said)
    assert all("\n" not in fault and len(fault) < 400 for fault in faults(text))


def test_attributes_of_another_version() -> None:
    """With another version of Stripe's API nobody knows the attributes, so none is refused for its name."""
    [rule] = parsed(f'[events."invoice.paid"]\nflow = "{FLOW}"\nfields = {{ a = "of_old" }}', "2020-08-27")

    assert rule.fields == {"a": ("of_old",)}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file is a fault like any other."""
    with pytest.raises(FileFault, match="there is no such file"):
        read_event_rules(tmp_path / "missing.toml", "customers", version="2026-10-28.endive")


@given(st.text())
def test_any_file(text: str) -> None:
    """V1: Any text gives rules or faults."""
    with suppress(FileFault):
        parsed(text)
