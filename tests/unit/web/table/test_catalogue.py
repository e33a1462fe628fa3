"""Prices by lookup key and with their products, and what else is offered to everybody."""

import pytest

from tests.doubles.directus import User, full, grants
from tests.doubles.running_app import RunningApp
from tests.doubles.wire import Answer
from tests.unit.web.table.cases import CASES
from tests.unit.web.table.people import CLERK, MANAGER, TENANT


def ids(answer: Answer) -> list[str]:
    assert answer.whole
    found = answer.json()
    return [entry["id"] for entry in (found["data"] if isinstance(found, dict) else found)]


@pytest.mark.parametrize(
    "query",
    [
        "lookup_keys=pro_monthly,basic",
        "lookup_keys=pro_monthly&lookup_keys=basic",
        "lookup_keys[]=pro_monthly&lookup_keys[]=basic",
        "lookup_keys[]=pro_monthly&lookup_keys=basic&limit=5",
    ],
)
async def test_prices_by_lookup_keys(shop: RunningApp, query: str) -> None:
    """Several lookup keys are separated by commas or repeated, and reach Stripe as a list."""
    shop.stripe.add("price", id="price_PRO", lookup_key="pro_monthly")
    shop.stripe.add("price", id="price_BASIC", lookup_key="basic")

    answer = await shop.call(MANAGER, f"/stripe/prices?{query}")

    assert ids(answer) == ["price_BASIC", "price_PRO"]
    asked = shop.stripe.asked[-1].query
    assert {name: value for name, value in asked.items() if name != "limit"} == {
        "lookup_keys[0]": "pro_monthly",
        "lookup_keys[1]": "basic",
    }


@pytest.mark.parametrize(
    "query",
    [
        "lookup_keys=",
        "lookup_keys=a,",
        "lookup_keys=" + ",".join("abcdefghijk"),
        f"lookup_keys={'x' * 201}",
        "lookup_keys[0]=a",
        "with=product&with=product",
        "with=",
        "with=product.default_price",
        "with=currency_options",
        "expand[]=data.product",
    ],
)
async def test_odd_choices_of_prices(shop: RunningApp, query: str) -> None:
    """R4, V4: an empty, long or eleventh key, and anything to expand but the product, is 400; Stripe is not asked."""
    answer = await shop.call(MANAGER, f"/stripe/prices?{query}")

    assert (answer.status, answer.code) == (400, "INVALID_QUERY")
    assert shop.stripe.asked == []


@pytest.mark.parametrize("paging", ["", "&limit=5"])
async def test_prices_with_their_products(shop: RunningApp, paging: str) -> None:
    """`with=product` gives each price its product: whole for all fields, the base for a field list."""
    target = f"/stripe/prices?product=prod_ONE&with=product{paging}"

    whole, base = [(await shop.call(user, target)).json() for user in (MANAGER, CLERK)]
    [first, *_], [least, *_] = (found["data"] if paging else found for found in (whole, base))

    assert {request.query["expand[0]"] for request in shop.stripe.asked} == {"data.product"}
    assert (first["product"]["name"], "metadata" in first["product"]) == ("Bread", True)
    assert (least["product"]["id"], least["product"]["name"]) == ("prod_ONE", "Bread")
    assert set(least["product"]) <= CASES["products.retrieve"].row.resource.base


async def test_a_price_names_its_product_otherwise(shop: RunningApp) -> None:
    """Without that a price has its product's ID."""
    answer = await shop.call(MANAGER, "/stripe/prices?product=prod_ONE&limit=1")

    assert answer.json()["data"][0]["product"] == "prod_ONE"


async def test_a_promotion_code_is_found_by_what_was_typed(shop: RunningApp) -> None:
    """The code that a customer typed finds the promotion code and no other; a wrong one finds none."""
    shop.stripe.add("promotion_code", id="promo_TWO", code="OTHER")

    right, wrong = [await shop.call(CLERK, f"/stripe/promotion_codes/find?code={code}") for code in ("HELLO", "NONE")]
    unsaid = await shop.call(CLERK, "/stripe/promotion_codes/find")

    assert (ids(right), ids(wrong)) == (["promo_ONE"], [])
    assert right.json()[0]["promotion"] == {"type": "coupon", "coupon": "SPRING"}
    assert (unsaid.status, unsaid.message) == (400, "code: is required.")


async def test_whose_a_promotion_code_is(shop: RunningApp) -> None:
    """R6: who may not see customers' IDs does not learn for which customer a promotion code is."""
    shop.stripe.add("promotion_code", id="promo_HERS", code="HERS", customer="cus_OTHER")
    shopper = User("user-shopper", "MARKED-shopper", grants("shop", read=full()))
    shop.directus.add_users([shopper])
    shop.tokens.add(shopper.token)

    answers = [await shop.call(user, "/stripe/promotion_codes/promo_HERS") for user in (shopper, CLERK, MANAGER)]

    assert [each.status for each in answers] == [200] * 3
    assert [b"cus_OTHER" in each.body for each in answers] == [False, False, True]


async def test_a_member_does_not_learn_whose_a_promotion_code_is(shop: RunningApp) -> None:
    """R1: who may see the IDs of its own customers only does not learn for which other one a promotion code is."""
    shop.stripe.add("promotion_code", id="promo_HERS", code="HERS", customer="cus_FOREIGN")

    answers = [
        await shop.call(TENANT, f"/stripe/promotion_codes{rest}")
        for rest in ("/promo_HERS", "/find?code=HERS", "?limit=5", "")
    ]

    assert [each.status for each in answers] == [200] * 4
    assert [(b"promo_HERS" in each.body, b"cus_FOREIGN" in each.body) for each in answers] == [(True, False)] * 4


@pytest.mark.parametrize("chosen", ["SPRING", "25-off", "gold.2024", "Z4OV52SU"])
async def test_coupons_have_ids_of_the_accounts_own(shop: RunningApp, chosen: str) -> None:
    """A coupon is read by the ID that the account chose."""
    await shop.call(MANAGER, f"/stripe/coupons/{chosen}")

    assert [request.path for request in shop.stripe.asked] == [f"/v1/coupons/{chosen}"]


async def test_a_list_of_what_has_no_date(shop: RunningApp) -> None:
    """Payment links, which say nothing of when they were made, are listed whole, page after page."""
    made = [str(shop.stripe.add("payment_link")["id"]) for _ in range(250)]

    answer = await shop.call(CLERK, "/stripe/payment_links")

    assert ids(answer) == [*reversed(made), "plink_ONE"]
    assert answer.json()[0]["url"].startswith("https://buy.stripe.com/")
