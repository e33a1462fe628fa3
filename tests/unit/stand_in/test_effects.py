"""The effects of calls to the demo's stand-in for Stripe."""

import pytest

from tests.doubles.shop import RETURN, Account, Shop


async def test_payment_is_canceled(shop: Shop) -> None:
    """A canceled payment says that it is canceled, and why."""
    payment = await shop.account.post("payment_intents", "amount=500&currency=eur")

    canceled = await shop.account.post(f"payment_intents/{payment['id']}/cancel", "cancellation_reason=abandoned")

    assert (canceled["status"], canceled["cancellation_reason"]) == ("canceled", "abandoned")
    assert payment["client_secret"].startswith(f"{payment['id']}_secret_")


async def test_refunds_end_with_the_charge(shop: Shop) -> None:
    """The rest of a charge can be refunded, and nothing more."""
    rest = await shop.account.post("refunds", f"payment_intent={shop['payment_intent']}")

    status, answer = await shop.account.ask("POST", "refunds", f"charge={shop['charge']}&amount=1")

    assert (800, shop["charge"], shop["payment_intent"]) == (rest["amount"], rest["charge"], rest["payment_intent"])
    assert (status, answer["error"]["code"]) == (400, "charge_already_refunded")


@pytest.mark.parametrize("payment", ["unpaid", "none"])
async def test_nothing_is_refunded_of_nothing(shop: Shop, payment: str) -> None:
    """An unpaid or unknown payment cannot be refunded."""
    unpaid = (await shop.account.post("payment_intents", "amount=500&currency=eur"))["id"]

    status, _ = await shop.account.ask("POST", "refunds", f"payment_intent={unpaid if payment == 'unpaid' else 'pi_1'}")

    assert status == 400


async def test_subscription_lives(shop: Shop) -> None:
    """A subscription changes to another price, is canceled, and is then listed only on request."""
    account, path, mine = shop.account, f"subscriptions/{shop['subscription']}", f"customer={shop['customer']}"

    changed = await account.post(path, f"items[0][id]={shop['item']}&items[0][price]={shop['yearly']}")
    canceled = await account.delete(path)

    assert shop["yearly"] == changed["items"]["data"][0]["price"]["id"]
    assert ("canceled", canceled["ended_at"]) == (canceled["status"], canceled["canceled_at"])
    assert await account.ids("subscriptions", mine) == []
    assert await account.ids("subscriptions", f"{mine}&status=ended") == [shop["subscription"]]
    assert (await account.ask("DELETE", path))[0] == 404


async def test_change_keeps_the_rest(shop: Shop) -> None:
    """A change of one attribute leaves the item, its price and the description unchanged."""
    path, item = f"subscriptions/{shop['subscription']}", f"items[0][id]={shop['item']}"
    await shop.account.post(path, f"{item}&items[0][quantity]=3&description=Tea")

    changed = await shop.account.post(path, f"{item}&cancel_at_period_end=true")

    [kept] = changed["items"]["data"]
    assert (kept["id"], kept["price"]["id"], kept["quantity"]) == (shop["item"], shop["monthly"], 3)
    assert (changed["description"], changed["cancel_at_period_end"]) == ("Tea", True)
    assert (await shop.account.get(f"subscription_items/{shop['item']}"))["quantity"] == 3


async def test_subscription_waits_for_its_payment(shop: Shop) -> None:
    """`default_incomplete` needs no payment method and leaves the first invoice open; otherwise one is needed."""
    account, customer = shop.account, (await shop.account.post("customers"))["id"]
    form = f"customer={customer}&items[0][price]={shop['monthly']}"

    incomplete = await account.post("subscriptions", f"{form}&payment_behavior=default_incomplete")
    status, _ = await account.ask("POST", "subscriptions", form)

    invoice = await account.get(f"invoices/{incomplete['latest_invoice']}")
    assert incomplete["status"] == "incomplete"
    assert (invoice["status"], invoice["amount_remaining"]) == ("open", 500)
    assert status == 400
    assert await account.ids("subscriptions", f"customer={customer}") == [incomplete["id"]]


async def test_foreign_payment_method_pays_nothing(shop: Shop) -> None:
    """A subscription cannot use another customer's payment method."""
    other = await shop.customer()
    form = f"customer={shop['customer']}&items[0][price]={shop['monthly']}"

    status, _ = await shop.account.ask(
        "POST", "subscriptions", f"{form}&default_payment_method={other['payment_method']}"
    )

    assert status == 400


async def test_preview_changes_nothing(shop: Shop) -> None:
    """A preview of an invoice is computed from prices, and changes neither invoice nor subscription."""
    account, mine = shop.account, f"customer={shop['customer']}"

    async def now() -> list[object]:
        return [await account.get(f"subscriptions/{shop['subscription']}"), await account.get("invoices", mine)]

    before = await now()

    preview = await account.post(
        "invoices/create_preview", f"{mine}&subscription_details[items][0][price]={shop['yearly']}"
    )

    assert (preview["total"], preview["id"][:11]) == (500, "upcoming_in")
    assert before == await now()


async def test_preview_of_a_foreign_subscription_is_refused(shop: Shop) -> None:
    """A customer and a subscription of another customer have no invoice."""
    other = await shop.customer()

    status, _ = await shop.account.ask(
        "POST", "invoices/create_preview", f"customer={shop['customer']}&subscription={other['subscription']}"
    )

    assert status == 400


async def test_a_detached_payment_method_has_no_customer(shop: Shop) -> None:
    """A detached payment method has no customer, is no longer in its list, and is no longer its default."""
    detached = await shop.account.post(f"payment_methods/{shop['payment_method']}/detach")

    customer = await shop.account.get(f"customers/{shop['customer']}")
    assert customer["invoice_settings"]["default_payment_method"] is None
    assert detached["customer"] is None
    assert await shop.account.ids("payment_methods", f"customer={shop['customer']}") == []


async def test_checkout_adds_up(shop: Shop) -> None:
    """A session's total is the sum of its prices, and a recurring price is not sold for one payment."""
    form = f"mode=payment&success_url={RETURN}&line_items[0][quantity]=3&line_items[0][price]="

    session = await shop.account.post("checkout/sessions", form + shop["once"])
    refused, _ = await shop.account.ask("POST", "checkout/sessions", form + shop["monthly"])

    assert (session["amount_total"], session["currency"], session["status"]) == (1500, "eur", "open")
    assert session["url"].startswith("https://checkout.stripe.com/")
    assert refused == 400


async def test_portal_is_at_stripe(shop: Shop) -> None:
    """The portal's page is at Stripe, with another address each time."""
    form = f"customer={shop['customer']}&return_url={RETURN}"

    first, second = [(await shop.account.post("billing_portal/sessions", form))["url"] for _ in range(2)]

    assert first.startswith("https://billing.stripe.com/p/session/test_")
    assert first != second


async def test_deleted_customer(account: Account) -> None:
    """A deleted customer is answered as deleted, and is in no list."""
    customer = (await account.post("customers", "email=gone@example.com"))["id"]

    await account.delete(f"customers/{customer}")

    deleted = await account.get(f"customers/{customer}")
    assert {"id": customer, "object": "customer", "deleted": True} == deleted
    assert await account.ids("customers", "email=gone@example.com") == []


async def test_payment_is_charged(shop: Shop) -> None:
    """A confirmed payment has succeeded, with a charge and a balance transaction."""
    payment = await shop.account.get(f"payment_intents/{shop['payment_intent']}")

    charge = await shop.account.get(f"charges/{payment['latest_charge']}")
    moved = await shop.account.get("balance_transactions", f"source={charge['id']}")

    assert (payment["status"], payment["amount_received"]) == ("succeeded", 900)
    assert (charge["payment_intent"], charge["amount_captured"], charge["refunded"]) == (payment["id"], 900, False)
    assert [(entry["type"], entry["amount"]) for entry in moved["data"]] == [("charge", 900)]
    assert charge["balance_transaction"] == moved["data"][0]["id"]


async def test_subscription_is_billed(shop: Shop) -> None:
    """A subscription's first invoice has its prices, names it, and is paid with the customer's own method."""
    invoice = await shop.account.get(f"invoices/{shop['invoice']}")

    paid = await shop.account.ids("payment_intents", f"customer={shop['customer']}")

    assert (invoice["status"], invoice["amount_paid"], invoice["amount_remaining"]) == ("paid", 500, 0)
    assert invoice["parent"]["subscription_details"]["subscription"] == shop["subscription"]
    assert [(line["amount"], line["quantity"]) for line in invoice["lines"]["data"]] == [(500, 1)]
    assert len(paid) == 2


async def test_metadata_is_merged(account: Account) -> None:
    """A change of metadata keeps the other keys, and an empty text removes a key."""
    customer = (await account.post("customers", "metadata[a]=1&metadata[b]=2&name=Ada"))["id"]

    changed = await account.post(f"customers/{customer}", "metadata[b]=&metadata[c]=3&name=")

    assert (changed["metadata"], changed["name"]) == ({"a": "1", "c": "3"}, None)


async def test_deleted_customer_pays_no_more(shop: Shop) -> None:
    """Deleting a customer ends its subscriptions, and no further call about it succeeds."""
    path = f"customers/{shop['customer']}"
    await shop.account.delete(path)

    ended = await shop.account.get(f"subscriptions/{shop['subscription']}")
    changed, _ = await shop.account.ask("POST", path, "name=Ada")
    used, _ = await shop.account.ask("POST", "setup_intents", f"customer={shop['customer']}")

    assert (ended["status"], changed, used) == ("canceled", 404, 400)


async def test_created_is_blank(account: Account) -> None:
    """Missing values are not made up: a new payment has no error, and a new customer no discount."""
    payment = await account.post("payment_intents", "amount=500&currency=eur")
    customer = await account.post("customers", "email=")

    unset = {payment[name] for name in ("last_payment_error", "next_action", "processing", "transfer_data")}
    assert unset | {customer[name] for name in ("email", "discount", "shipping")} == {None}


async def test_a_subscription_rests(shop: Shop) -> None:
    """A subscription is paused once and resumed once."""
    path = f"subscriptions/{shop['subscription']}"

    paused = await shop.account.post(f"{path}/pause")
    again, _ = await shop.account.ask("POST", f"{path}/pause")
    resumed = await shop.account.post(f"{path}/resume", "billing_cycle_anchor[type]=unchanged")

    assert (paused["status"], again, resumed["status"]) == ("paused", 400, "active")


async def test_what_is_kept_of_a_customer(shop: Shop) -> None:
    """A dispute, a credit note, a quote, a schedule, a tax ID and the balance belong to their customer."""
    whole = Shop(shop.account, {**shop.ids, **await shop.records()})
    account, mine = shop.account, f"customer={shop['customer']}"
    below = f"customers/{shop['customer']}"

    accepted = await account.post(whole.filled("quotes/{quote}/accept"))
    canceled = await account.post(whole.filled("subscription_schedules/{schedule}/cancel"))
    disputed = await account.get(whole.filled("disputes/{dispute}"))

    assert await account.ids("credit_notes", mine) == [whole["credit_note"]]
    assert await account.ids("quotes", f"{mine}&status=accepted") == [accepted["id"]]
    assert (canceled["status"], disputed["payment_intent"]) == ("canceled", whole["disputed"])
    assert await account.ids(f"{below}/tax_ids") == [whole["tax_id"]]
    assert await account.ids(f"{below}/balance_transactions") == [whole["credit"]]
    assert (await account.delete(whole.filled("tax_ids/{tax_id}")))["deleted"]
    assert await account.ids(f"{below}/tax_ids") == []
    assert (await account.ask("GET", "customers/cus_none/tax_ids"))[0] == 404


async def test_an_invoice_is_paid_or_void(shop: Shop) -> None:
    """A draft is opened and paid by the customer's default method; another one is opened and void, and stays so."""
    drafts = [(await shop.account.post("invoices", f"customer={shop['customer']}"))["id"] for _ in range(2)]
    opened = [(await shop.account.post(f"invoices/{each}/finalize"))["status"] for each in drafts]

    paid = await shop.account.post(f"invoices/{drafts[0]}/pay")
    void = await shop.account.post(f"invoices/{drafts[1]}/void")
    status, _ = await shop.account.ask("POST", f"invoices/{drafts[1]}/pay")

    assert (opened, paid["status"], void["status"], status) == (["open", "open"], "paid", "void", 400)


async def test_entitlements_are_of_a_customer(shop: Shop) -> None:
    """Entitlements are listed of one customer, who must be named and exist."""
    path = "entitlements/active_entitlements"

    answers = [(await shop.account.ask("GET", path, query))[0] for query in ("", "customer=cus_none")]

    assert answers == [400, 400]
    assert await shop.account.ids(path, f"customer={shop['customer']}") == []


async def test_nothing_else_is_expanded(shop: Shop) -> None:
    """Only the product of listed prices is expanded."""
    [price, *_] = (await shop.account.get("prices", "expand[0]=data.product"))["data"]
    status, _ = await shop.account.ask("GET", "prices", "expand[0]=data.currency_options")

    assert (price["product"]["object"], status) == ("product", 400)
