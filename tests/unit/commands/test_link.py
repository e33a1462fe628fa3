"""`link` as an operator runs it, between doubles of Directus and Stripe."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo import children
from sidecar.core.flows.item_links import ItemLinks
from sidecar.core.flows.matching import Why
from tests.doubles.directus import DirectusDouble, Row, User, full, grants
from tests.doubles.faults import answer
from tests.doubles.process import ROOT
from tests.doubles.running_app import SERVICE_TOKEN, SIDECAR_SECRET, environment
from tests.doubles.stripe import StripeDouble

pytestmark = pytest.mark.process
_ID = "stripe_customer_id"
_PROJECT = "shop"
LINKS = ItemLinks(_PROJECT, "customers", (SIDECAR_SECRET,))
RIGHTS = grants(read=full("id", _ID, "email"), update=full(_ID))


@dataclass(slots=True)
class Shop:
    directus: DirectusDouble
    stripe: StripeDouble

    def item(self, email: str | None = None, customer: str | None = None) -> Row:
        return self.directus.add_row(email=email, **{_ID: customer})

    def customer(self, email: str | None = None, **attributes: object) -> str:
        return str(self.stripe.add_customer(email=email, **attributes)["id"])

    @property
    def changes(self) -> list[str]:
        """What was changed, in order."""
        changed = [request for request in self.stripe.requests if request.method != "GET"]
        changed += [request for request in self.directus.requests if request.method == "PATCH"]
        return [f"{request.method} {request.path}" for request in changed]

    async def link(self, *arguments: str, **settings: str) -> tuple[int | None, list[str], str]:
        """Give exit code, lines and errors."""
        given = environment(
            self.directus.url,
            self.stripe.url,
            DIRECTUS_SERVICE_TOKEN=SERVICE_TOKEN,
            SIDECAR_SECRET=SIDECAR_SECRET,
            DIRECTUS_PROJECT=_PROJECT,
            **settings,
        )
        process = await children.spawn(
            [sys.executable, "-m", "sidecar", "link", *arguments],
            cwd=ROOT,
            env=given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode().splitlines(), err.decode()


@pytest.fixture
def shop(directus: DirectusDouble, stripe: StripeDouble) -> Shop:
    directus.add_users([User("service", SERVICE_TOKEN, RIGHTS)])
    return Shop(directus, stripe)


def file_of(folder: Path, *rows: str) -> str:
    path = folder / "links.csv"
    path.write_text("\n".join(["item,customer", *rows]))
    return str(path)


async def test_a_dry_run(shop: Shop) -> None:
    """Without a terminal and without --yes it prints the table and changes nothing."""
    item, customer = shop.item(" Ada@Example.com "), shop.customer("ada@example.com")
    shop.item("nobody@example.com")
    shop.item()

    code, lines, err = await shop.link()

    assert (code, shop.changes) == (0, [])
    assert lines == [
        f"to link    item {item['id']}  {customer}  (ada@example.com)",
        "left       item 2: no customer has its e-mail address (nobody@example.com)",
        "left       item 3: it has no e-mail address",
        "1 to link, 0 ambiguous, 0 to decide, 2 left",
        "Whoever could write an address into an item would get the customer of that address: look at each line.",
    ]
    assert err == "Nothing was written. To write it, add --yes, or confirm it on a terminal.\n"


async def test_what_is_written(shop: Shop) -> None:
    """W4: The customer is signed before its ID is written; a second run finds nothing to do."""
    item, customer = shop.item("ada@example.com"), shop.customer("ada@example.com", metadata={"order": "7"})
    kept = shop.item("grace@example.com", shop.customer("grace@example.com"))

    code, lines, err = await shop.link("--yes")
    changed = shop.changes
    again = await shop.link("--yes")

    assert (code, err, lines[-1]) == (0, "", "1 linked, 0 ambiguous, 0 to decide")
    assert changed == [f"POST /v1/customers/{customer}", "PATCH /items/customers"] == shop.changes
    assert shop.stripe.customers[-1]["metadata"] == {"order": "7", **LINKS.metadata(str(item["id"]))}
    assert (item[_ID], str(kept[_ID]).startswith("cus_")) == (customer, True)
    assert again == (0, ["0 to link, 0 ambiguous, 0 to decide, 0 left"], "")


async def test_what_a_person_decides(shop: Shop) -> None:
    """Several of one address are one line, a customer of somebody else's is named, and both end with 1."""
    shop.item("twins@example.com")
    shop.item("twins@example.com")
    shop.item("ada@example.com")
    twin, foreign = (
        shop.customer("twins@example.com"),
        shop.customer("ada@example.com", metadata={"directus_item": "9"}),
    )

    code, lines, _ = await shop.link("--yes")

    assert (code, shop.changes) == (1, [])
    assert lines == [
        f"ambiguous  twins@example.com: items 1, 2; customers {twin}",
        f"DECIDE     item 3: {Why.FOREIGN} ({foreign}, ada@example.com)",
        "0 to link, 1 ambiguous, 1 to decide, 0 left",
    ]


async def test_a_deleted_customer(shop: Shop) -> None:
    """A customer that was deleted at Stripe is nobody's."""
    shop.item("ada@example.com")
    shop.customer("ada@example.com", deleted=True)

    code, lines, _ = await shop.link("--yes")

    assert (code, lines[-1]) == (0, "0 to link, 0 ambiguous, 0 to decide, 1 left")


async def test_another_field(shop: Shop) -> None:
    """`--email-field` names the field; without it STRIPE_FIELD_MAP does."""
    shop.directus.users[SERVICE_TOKEN].permissions = grants(read=full("id", _ID, "mail", "post"), update=full(_ID))
    shop.directus.add_row(mail="ada@example.com", post="grace@example.com")
    ada, grace = shop.customer("ada@example.com"), shop.customer("grace@example.com")

    _, [mapped, *_], _ = await shop.link(STRIPE_FIELD_MAP='{"mail": "email"}')
    _, [named, *_], _ = await shop.link("--email-field", "post", STRIPE_FIELD_MAP='{"mail": "email"}')
    code, _, err = await shop.link(STRIPE_FIELD_MAP='{"title": "name"}')

    assert (ada in mapped, grace in named) == (True, True)
    assert (code, "--email-field: name the field" in err) == (2, True)


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        (grants(read=full("id", _ID), update=full(_ID)), "run `provision --email-field email`"),
        (grants(read=full("id", _ID, "email")), f"must be allowed to update customers.{_ID}: run `provision`"),
    ],
)
async def test_rights_that_are_missing(shop: Shop, rights: dict[str, dict[str, object]], said: str) -> None:
    """Each missing right is named with what gives it, before anything is read at Stripe."""
    shop.directus.users[SERVICE_TOKEN].permissions = rights  # type: ignore[assignment]

    code, lines, err = await shop.link("--yes")

    assert (code, lines, shop.stripe.requests) == (1, [], [])
    assert said in err


async def test_a_file(shop: Shop, tmp_path: Path) -> None:
    """A file links without any address; what is wrong is named by its line, and the rest is done."""
    free, taken, mine, gone = (shop.customer() for _ in range(4))
    next(row for row in shop.stripe.customers if row["id"] == gone)["deleted"] = True
    for customer in (None, None, taken, None, None, None):
        shop.item(customer=customer)
    signed = shop.customer(metadata=LINKS.metadata("6"))

    file = file_of(
        tmp_path,
        f"1,{free}",
        f"2,{taken}",
        f"3,{mine}",
        f"4,{gone}",
        "5,cus_Unknown",
        f"99,{signed}",
        "7,nobody",
    )
    code, lines, _ = await shop.link("--csv", file, "--yes")

    assert (code, lines[-1]) == (1, "1 linked, 0 ambiguous, 6 to decide")
    assert [line for line in lines if line.startswith("DECIDE")] == [
        "DECIDE     line 8: the customer is no ID of Stripe's, which looks like cus_…",
        f"DECIDE     item 2: another item has this customer ({taken}, line 3)",
        f"DECIDE     item 3: it has another customer ({mine}, line 4)",
        f"DECIDE     item 4: the customer was deleted at Stripe ({gone}, line 5)",
        "DECIDE     item 5: this Stripe account has no such customer (cus_Unknown, line 6)",
        f"DECIDE     item 99: there is no such item ({signed}, line 7)",
    ]
    assert f"linked     item 1  {free}" in lines


async def test_a_file_again(shop: Shop, tmp_path: Path) -> None:
    """What a file says and is true is left; an ID that was written by hand is signed too."""
    by_hand = shop.customer()
    item = shop.item(customer=by_hand)

    file = file_of(tmp_path, f"{item['id']},{by_hand}")
    first, second = await shop.link("--csv", file, "--yes"), await shop.link("--csv", file, "--yes")

    assert (first[0], first[1][-1]) == (0, "1 linked, 0 ambiguous, 0 to decide")
    assert shop.stripe.customers[0]["metadata"] == LINKS.metadata(str(item["id"]))
    assert second[1] == [
        f"left       item {item['id']}: it has this customer already ({by_hand}, line 2)",
        "0 to link, 0 ambiguous, 0 to decide, 1 left",
    ]


@pytest.mark.parametrize("content", [None, b"item,customer\n\xff\n", b"7,cus_a\n"])
async def test_a_file_that_cannot_be_used(shop: Shop, tmp_path: Path, content: bytes | None) -> None:
    """A file that is not there, in another encoding or without a header ends it in one sentence, with nothing asked."""
    path = tmp_path / "links.csv"
    if content is not None:
        path.write_bytes(content)

    code, lines, err = await shop.link("--csv", str(path), "--yes")

    assert (code in {1, 2}, lines, shop.stripe.requests) == (True, [], [])
    assert "Traceback" not in err
    assert any(word in err for word in ("cannot be read", "UTF-8", "must name the columns"))


async def test_a_refusal_of_stripe(shop: Shop) -> None:
    """A customer that Stripe refuses to sign, as one with fifty keys of metadata, is named, and the next is linked."""
    shop.item("ada@example.com")
    shop.item("grace@example.com")
    shop.customer("ada@example.com")
    shop.customer("grace@example.com")
    refusal = answer(400, '{"error": {"type": "invalid_request_error", "message": "too many keys"}}')
    shop.stripe.fail(refusal, when=lambda request: request.method == "POST", times=1)

    code, lines, _ = await shop.link("--yes")

    assert (code, lines[-1]) == (1, "1 linked, 0 ambiguous, 1 to decide")
    assert [line for line in lines if "refuses to write it" in line]


async def test_lines_cannot_be_forged(shop: Shop) -> None:
    """Text from items and from Stripe is escaped, so that it adds no line to the table."""
    shop.item("a@x\nlinked     item 9")

    _, lines, _ = await shop.link()

    assert len([line for line in lines if line.startswith(("left", "linked"))]) == 1
