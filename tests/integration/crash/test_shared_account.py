"""O3 on a real Directus: a Stripe account that is shared with another Directus, and a secret that is replaced."""

from dataclasses import replace

import pytest

from sidecar.core.flows.item_links import ItemLinks
from tests.doubles import faults
from tests.integration.commands import PROJECT, SECRET, Ended, run
from tests.integration.crash.rig import Rig

OTHER_SECRET = "of-another-directus-and-32-bytes-long"
UNREACHED = "0.2"  # seconds in which an ID is tried to be written


def others(rig: Rig) -> Rig:
    """Give another Directus of the account, with the same names and the same items, as after a default of old."""
    return replace(rig, extra={**rig.extra, "SIDECAR_SECRET": OTHER_SECRET})


def of_before(rig: Rig, item: object, project: str = "directus") -> str:
    """Add a customer that a version without signatures created."""
    names = {"directus_project": project, "directus_collection": rig.place.collection, "directus_item": str(item)}
    return str(rig.stripe.add_customer(metadata=names)["id"])


def metadata_of(rig: Rig, customer: str) -> object:
    [found] = [one["metadata"] for one in rig.stripe.customers if one["id"] == customer]
    return found


async def test_two_directus_with_the_same_names(rig: Rig) -> None:
    """O3: who types another's e-mail address for the same item of another Directus gets a customer of its own."""
    item = await rig.new_item()
    async with rig.sidecar() as ours:
        first = await rig.create(ours, item=item)
    await rig.put(item, None)

    async with others(rig).sidecar() as theirs:
        second = await rig.create(theirs, item=item)

    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


@pytest.mark.parametrize(
    "forged",
    [
        lambda names: {**names, "directus_signature": "0" * 64},
        lambda names: ItemLinks(PROJECT, names["directus_collection"], (OTHER_SECRET,)).metadata("1"),
        lambda names: {name: value for name, value in names.items() if name != "directus_signature"},
    ],
    ids=["made up", "another's", "none"],
)
async def test_reconcile_believes_only_what_it_signed(rig: Rig, forged: object) -> None:
    """O3: what any other application of the account wrote into metadata fills no item and is no finding."""
    assert callable(forged)
    item = await rig.new_item()
    rig.stripe.add_customer(metadata={**forged(rig.place.signed(item)), "directus_item": str(item)})

    told = await rig.reconcile()

    assert (told.code, told.out) == (0, "1 customers, 0 of this collection: 0 filled, 0 to decide\n")
    assert await rig.customers_by_item() == {item: None}


@pytest.mark.parametrize("email", ["ada@example.com", "dave@example.com"])
async def test_a_retry_after_the_secret_was_replaced(rig: Rig, email: str) -> None:
    """W3: an ID that could not be written before the secret was replaced is written after, to the same customer."""
    item = await rig.new_item()
    async with rig.sidecar(WRITE_BACK_TIMEOUT=UNREACHED) as before:
        rig.proxy.fail(faults.reset_before_headers, when=lambda request: request.method == "PATCH")
        first = await rig.create(before, item=item)
        rig.proxy.recover()

    async with rig.sidecar(SIDECAR_SECRET=f"{OTHER_SECRET},{SECRET}") as after:
        second = await rig.create(after, item=item, email=email)

    assert (first.status, first.headers["X-Write-Back"]) == (201, "pending")
    assert (second.status, second.body["id"]) == (200, first.body["id"])
    assert await rig.customers_by_item() == {item: first.body["id"]}
    assert len(rig.stripe.customers) == 1


async def test_a_replaced_secret_may_go(rig: Rig) -> None:
    """O3: after `--adopt` customers of the old secret are believed with the new one alone, and `check` is content."""
    linked, empty = await rig.new_item(), await rig.new_item()
    customers = {item: rig.customer_of(item) for item in (linked, empty)}
    await rig.put(linked, customers[linked])
    both, new = f"{OTHER_SECRET},{SECRET}", OTHER_SECRET

    before = await checked(rig, SIDECAR_SECRET=both)
    first = await rig.reconcile("--adopt", SIDECAR_SECRET=both)
    filled = await rig.reconcile(SIDECAR_SECRET=both)
    second = await rig.reconcile("--adopt", SIDECAR_SECRET=both)
    after = await checked(rig, SIDECAR_SECRET=new)
    last = await rig.reconcile(SIDECAR_SECRET=new)

    assert "2 of the newest 2 customers are signed with a secret that is being replaced" in before.texts("note")
    assert f"DECIDE   item {empty}: it has no customer yet" in first.out
    assert (first.code, filled.code, second.code, last.code) == (1, 0, 0, 0)
    assert "of the newest" not in after.out
    assert "2 customers, 2 of this collection: 0 filled, 0 to decide" in last.out
    assert await rig.customers_by_item() == customers


async def test_customers_of_before_are_adopted(rig: Rig) -> None:
    """A customer that its item is linked to is signed; others are listed, and signed once a person names them."""
    linked, empty, other = [await rig.new_item() for _ in range(3)]
    proven, claimed, of_another = (
        of_before(rig, linked),
        of_before(rig, empty),
        of_before(rig, other, project="another"),
    )
    await rig.put(linked, proven)

    dry = await rig.reconcile("--adopt", "--dry-run")
    before = [metadata_of(rig, customer) for customer in (proven, claimed)]
    first = await rig.reconcile("--adopt")
    named = await rig.reconcile("--adopt", claimed)
    last = await rig.reconcile()

    doubt = f"DECIDE   item {empty}: it is not linked to the customer that names it; name that one after --adopt"
    assert f"to adopt item {linked}: {proven}\n" in dry.out
    assert doubt in dry.out
    assert all("directus_signature" not in str(metadata) for metadata in before)
    assert f"adopted  item {linked}: {proven}\n" in first.out
    assert doubt in first.out
    assert f"adopted  item {empty}: {claimed}\nfilled   item {empty}: {claimed}\n" in named.out
    assert (dry.code, first.code, named.code, last.code) == (1, 1, 0, 0)
    assert last.out == "3 customers, 2 of this collection: 0 filled, 0 to decide\n"
    assert metadata_of(rig, proven) == rig.place.signed(linked)
    assert "directus_signature" not in str(metadata_of(rig, of_another))
    assert await rig.customers_by_item() == {linked: proven, empty: claimed, other: None}


async def test_anothers_customer_is_not_adopted(rig: Rig) -> None:
    """O3: not even an item that is linked to it makes a customer ours that another Directus has signed."""
    item = await rig.new_item()
    theirs = str(rig.stripe.add_customer(metadata=others_metadata(rig, item))["id"])
    await rig.put(item, theirs)

    told = await rig.reconcile("--adopt")

    assert (told.code, "signed with another SIDECAR_SECRET" in told.out) == (1, True)
    assert metadata_of(rig, theirs) == others_metadata(rig, item)


async def test_another_items_customer_is_not_adopted(rig: Rig) -> None:
    """O3: metadata that name an empty item do not make another item's customer its own, though a person named it."""
    holder, empty = await rig.new_item(), await rig.new_item()
    customer = of_before(rig, empty)
    await rig.put(holder, customer)

    told = [await rig.reconcile("--adopt", customer, *dry) for dry in (["--dry-run"], [])]

    finding = f"DECIDE   item {empty}: another item has its customer ({customer})\n"
    assert [(one.code, finding in one.out, "adopt " in one.out) for one in told] == [(1, True, False)] * 2
    assert "directus_signature" not in str(metadata_of(rig, customer))
    assert await rig.customers_by_item() == {holder: customer, empty: None}


async def test_a_dry_run_knows_what_another_item_has(rig: Rig) -> None:
    """Nothing is "to fill" that would be refused, or would give one customer to two items in a field that allows it."""
    holder, empty = await rig.new_item(), await rig.new_item()
    customer = rig.customer_of(empty)
    await rig.put(holder, customer)

    told = await rig.reconcile("--dry-run")

    assert (told.code, f"item {empty}: another item has its customer ({customer})" in told.out) == (1, True)
    assert "1 to decide" in told.out


def others_metadata(rig: Rig, item: object) -> dict[str, str]:
    return ItemLinks(PROJECT, rig.place.collection, (OTHER_SECRET,)).metadata(str(item))


@pytest.mark.parametrize("named", ["cus_unknown", "../balance"])
async def test_a_customer_that_cannot_be_adopted(rig: Rig, named: str) -> None:
    """A name that is no customer of before is told so, and nothing is changed."""
    told = await rig.reconcile("--adopt", named)

    assert told.code == (1 if named == "cus_unknown" else 2)
    assert named in told.out + told.err


async def checked(rig: Rig, **settings: str) -> Ended:
    return await run("check", **(rig.settings | settings), TRUSTED_PROXIES="127.0.0.1")


async def test_check_tells_of_another_directus(rig: Rig) -> None:
    """`check` tells of customers that another secret signed for this project, of those of before, and of others."""
    item = await rig.new_item()
    rig.customer_of(item)
    alone = await checked(rig)
    rig.stripe.add_customer(metadata=others_metadata(rig, item))
    of_before(rig, item)
    rig.stripe.add_customer(metadata={"directus_project": "another", "directus_collection": "x", "directus_item": "1"})

    shared = await checked(rig)

    assert f"customers are signed for the project {PROJECT}" in alone.texts("ok")
    assert "of the newest" not in alone.out
    assert "1 of the newest 4 customers name this project but another SIDECAR_SECRET" in shared.texts("FAULT")
    assert "1 of the newest 4 customers name a project but are not signed" in shared.texts("note")
    assert "1 of the newest 4 customers are of other projects ('another')" in shared.texts("note")


async def test_a_project_without_a_name_is_directuss_own(rig: Rig) -> None:
    """The default is Directus's own ID, which no other Directus has; without a token for it `check` says so."""
    told = await rig.place.stack.admin.request("GET", "/settings?fields=project_id")

    found = await checked(rig, DIRECTUS_PROJECT="")
    alone = await checked(rig, DIRECTUS_PROJECT="", DIRECTUS_SERVICE_TOKEN="", DIRECTUS_REALTIME="false")

    assert f"customers are signed for the project {told['project_id']}" in found.texts("ok")
    assert "neither DIRECTUS_PROJECT nor DIRECTUS_SERVICE_TOKEN is set" in alone.texts("note")
