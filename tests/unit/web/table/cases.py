"""How each row of the table is requested, and the request that Stripe must then get: one case a row.

Objects of a customer are named …_OWN. The same case about another customer's objects, or about missing ones, is the
same text with another word in place of OWN.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from sidecar.core.operations.row import Kind, Operation
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.directus import User
from tests.doubles.running_app import RunningApp
from tests.doubles.samples import RETURN_URL
from tests.doubles.server import Recorded
from tests.doubles.wire import Answer

ROWS: dict[str, Operation] = {row.name: row for row in OPERATIONS}
JSON = ("Content-Type", "application/json")
SDK = ("Stripe-Version", "2020-08-27")
_OWNED = re.compile(r"\b[a-z_]+_OWN\b")
ENDING = {"payment_methods.detach", "subscriptions.cancel", "tax_ids.delete"}  # after these nothing is left to ask for


@dataclass(frozen=True)
class Case:
    """`target` is below the prefix. `asked` is Stripe's path and query, `form` the body of a POST to Stripe.

    `given` are attributes that all objects of its kind get before it, for Stripe to do it.
    """

    name: str
    target: str
    asked: str
    body: str | None = None
    form: str = ""
    given: Mapping[str, object] = field(default_factory=dict)

    @property
    def row(self) -> Operation:
        return ROWS[self.name]

    @property
    def status(self) -> int:
        return 201 if self.row.kind in {Kind.CREATE, Kind.CREATE_CUSTOMER} else 200

    @property
    def json(self) -> dict[str, object]:
        body: dict[str, object] = json.loads(self.body or "{}")
        return body

    @property
    def owned(self) -> bool:
        """Whether it names any object of a customer."""
        return _OWNED.search(f"{self.target} {self.body}") is not None

    @property
    def names_customer(self) -> bool:
        return "cus_OWN" in f"{self.target} {self.body}"

    def about(self, word: str) -> "Case":
        """The same case about another customer's objects: `FOREIGN`, `OTHER` or `ABSENT`."""
        return replace(
            self,
            target=self.target.replace("_OWN", f"_{word}"),
            body=self.body and self.body.replace("_OWN", f"_{word}"),
        )

    def mixed(self, word: str) -> Iterator["Case"]:
        """The same case with one reference of several to another customer's object."""
        places = [*_OWNED.finditer(self.target)], [*_OWNED.finditer(self.body or "")]
        if len(places[0]) + len(places[1]) < 2:
            return
        for place in places[0]:
            yield replace(self, target=_swapped(self.target, place, word))
        for place in places[1]:
            yield replace(self, body=_swapped(self.body or "", place, word))

    def having(self, **attributes: object) -> "Case":
        """The same case with these attributes in its body."""
        return replace(self, body=json.dumps({**self.json, **attributes}))

    def bare(self, body: dict[str, object]) -> "Case":
        """The same case with this body; a list keeps nothing but its limit."""
        return replace(self, target=self.target.split("&")[0], body=json.dumps(body) if self.body else None)

    async def call(self, app: RunningApp, user: User | None, *headers: tuple[str, str]) -> Answer:
        for each in app.stripe.objects[self.row.resource.kind] if self.given else ():
            each.update(self.given)
        body = None if self.body is None else self.body.encode()
        usual = [*([JSON] if body is not None else []), *([SDK] if self.row.sdk_version else [])]
        sent = [*(each for each in usual if each[0] not in dict(headers)), *headers]
        target = f"/stripe{self.target}"
        return await app.call(user, target, method=self.row.method, headers=sent, body=body)


def _swapped(text: str, place: re.Match[str], word: str) -> str:
    return text[: place.start()] + place[0].replace("_OWN", f"_{word}") + text[place.end() :]


def asked_as(request: Recorded) -> tuple[str, str, list[tuple[str, str]], list[tuple[str, str]]]:
    """Give a request's method, path, query and form, independent of the order of the parameters."""
    return request.method, request.path, sorted(request.query.items()), sorted(request.form)


def expected(case: Case) -> tuple[str, str, list[tuple[str, str]], list[tuple[str, str]]]:
    path, _, query = case.asked.partition("?")
    return case.row.method, path, sorted(parse_qsl(query)), sorted(parse_qsl(case.form))


_OPEN = {"status": "requires_payment_method"}
_ITEMS = '[{"price": "price_ONE", "quantity": 2}]'
_MONTHLY = _ITEMS.replace("ONE", "MONTH")

EVERY_CASE = {
    case.name: case
    for case in (
        Case("payments.list", "/payments?limit=2", "/v1/payment_intents?limit=2"),
        Case(
            "payments.list_for_customer",
            "/payments/cus_OWN?limit=2",
            "/v1/payment_intents?limit=2&customer=cus_OWN",
        ),
        Case("customers.list", "/customers?limit=2", "/v1/customers?limit=2"),
        Case("customers.create", "/customers", "/v1/customers", '{"email": "a@example.com"}', "email=a@example.com"),
        Case("customers.retrieve", "/customers/cus_OWN", "/v1/customers/cus_OWN"),
        Case(
            "customers.update",
            "/customers/cus_OWN",
            "/v1/customers/cus_OWN",
            '{"name": "Ada", "email": "b@example.com"}',
            "name=Ada&email=b@example.com",
        ),
        Case("payment_intents.retrieve", "/payment_intents/pi_OWN", "/v1/payment_intents/pi_OWN"),
        Case(
            "payment_intents.create",
            "/payment_intents",
            "/v1/payment_intents",
            '{"customer": "cus_OWN", "price": "price_ONE", "quantity": 3, "payment_method": "pm_OWN"}',
            "customer=cus_OWN&payment_method=pm_OWN&amount=750&currency=eur"
            "&metadata[price]=price_ONE&metadata[quantity]=3",
        ),
        Case(
            "payment_intents.cancel",
            "/payment_intents/pi_OWN/cancel",
            "/v1/payment_intents/pi_OWN/cancel",
            '{"cancellation_reason": "abandoned"}',
            "cancellation_reason=abandoned",
        ),
        Case(
            "payment_intents.update",
            "/payment_intents/pi_OWN",
            "/v1/payment_intents/pi_OWN",
            '{"payment_method": "pm_OWN", "receipt_email": "b@example.com"}',
            "payment_method=pm_OWN&receipt_email=b@example.com",
            given=_OPEN,
        ),
        Case(
            "payment_intents.confirm",
            "/payment_intents/pi_OWN/confirm",
            "/v1/payment_intents/pi_OWN/confirm",
            '{"payment_method": "pm_OWN", "off_session": true}',
            "payment_method=pm_OWN&off_session=true",
            given=_OPEN,
        ),
        Case(
            "payment_intents.capture",
            "/payment_intents/pi_OWN/capture",
            "/v1/payment_intents/pi_OWN/capture",
            given={"status": "requires_capture", "amount_capturable": 250},
        ),
        Case("setup_intents.retrieve", "/setup_intents/seti_OWN", "/v1/setup_intents/seti_OWN"),
        Case(
            "setup_intents.confirm",
            "/setup_intents/seti_OWN/confirm",
            "/v1/setup_intents/seti_OWN/confirm",
            f'{{"payment_method": "pm_OWN", "return_url": "{RETURN_URL}"}}',
            f"payment_method=pm_OWN&return_url={RETURN_URL}",
            given=_OPEN,
        ),
        Case(
            "setup_intents.cancel",
            "/setup_intents/seti_OWN/cancel",
            "/v1/setup_intents/seti_OWN/cancel",
            '{"cancellation_reason": "abandoned"}',
            "cancellation_reason=abandoned",
            given=_OPEN,
        ),
        Case("charges.retrieve", "/charges/ch_OWN", "/v1/charges/ch_OWN"),
        Case(
            "charges.list",
            "/charges?limit=2&customer=cus_OWN&payment_intent=pi_OWN",
            "/v1/charges?limit=2&customer=cus_OWN&payment_intent=pi_OWN",
        ),
        Case(
            "refunds.list",
            "/refunds?limit=2&payment_intent=pi_OWN&charge=ch_OWN",
            "/v1/refunds?limit=2&payment_intent=pi_OWN&charge=ch_OWN",
        ),
        Case(
            "refunds.create",
            "/refunds",
            "/v1/refunds",
            '{"payment_intent": "pi_OWN", "reason": "duplicate"}',
            "payment_intent=pi_OWN&reason=duplicate",
        ),
        Case("refunds.retrieve", "/refunds/re_OWN", "/v1/refunds/re_OWN"),
        Case("refunds.cancel", "/refunds/re_OWN/cancel", "/v1/refunds/re_OWN/cancel"),
        Case(
            "invoices.list",
            "/invoices?limit=2&customer=cus_OWN&subscription=sub_OWN&status=open",
            "/v1/invoices?limit=2&customer=cus_OWN&subscription=sub_OWN&status=open",
        ),
        Case("invoices.retrieve", "/invoices/in_OWN", "/v1/invoices/in_OWN"),
        Case(
            "invoices.pay",
            "/invoices/in_OWN/pay",
            "/v1/invoices/in_OWN/pay",
            '{"payment_method": "pm_OWN", "off_session": false}',
            "payment_method=pm_OWN&off_session=false",
            given={"status": "open"},
        ),
        Case(
            "invoices.finalize",
            "/invoices/in_OWN/finalize",
            "/v1/invoices/in_OWN/finalize",
            '{"auto_advance": true}',
            "auto_advance=true",
            given={"status": "draft"},
        ),
        Case("invoices.void", "/invoices/in_OWN/void", "/v1/invoices/in_OWN/void", given={"status": "open"}),
        Case(
            "invoices.search",
            "/invoices/search?limit=2&query=customer%3A%22cus_OWN%22",
            "/v1/invoices/search?limit=2&query=customer%3A%22cus_OWN%22",
        ),
        Case(
            "credit_notes.list",
            "/credit_notes?limit=2&customer=cus_OWN&invoice=in_OWN",
            "/v1/credit_notes?limit=2&customer=cus_OWN&invoice=in_OWN",
        ),
        Case("credit_notes.retrieve", "/credit_notes/cn_OWN", "/v1/credit_notes/cn_OWN"),
        Case(
            "quotes.list",
            "/quotes?limit=2&customer=cus_OWN&status=open",
            "/v1/quotes?limit=2&customer=cus_OWN&status=open",
            given={"status": "open"},
        ),
        Case("quotes.retrieve", "/quotes/qt_OWN", "/v1/quotes/qt_OWN"),
        Case("quotes.accept", "/quotes/qt_OWN/accept", "/v1/quotes/qt_OWN/accept", given={"status": "open"}),
        Case("quotes.cancel", "/quotes/qt_OWN/cancel", "/v1/quotes/qt_OWN/cancel", given={"status": "open"}),
        Case(
            "invoices.create_preview",
            "/invoice_previews",
            "/v1/invoices/create_preview",
            '{"customer": "cus_OWN", "subscription": "sub_OWN", "subscription_details":'
            ' {"items": [{"id": "si_OWN", "deleted": true}, {"price": "price_MONTH"}]}}',
            "customer=cus_OWN&subscription=sub_OWN&subscription_details[items][0][id]=si_OWN"
            "&subscription_details[items][0][deleted]=true&subscription_details[items][1][price]=price_MONTH",
        ),
        Case(
            "subscriptions.list",
            "/subscriptions?limit=2&customer=cus_OWN&status=all&price=price_ONE",
            "/v1/subscriptions?limit=2&customer=cus_OWN&status=all&price=price_ONE",
        ),
        Case("subscriptions.retrieve", "/subscriptions/sub_OWN", "/v1/subscriptions/sub_OWN"),
        Case(
            "subscriptions.create",
            "/subscriptions",
            "/v1/subscriptions",
            f'{{"customer": "cus_OWN", "items": {_MONTHLY}, "default_payment_method": "pm_OWN"}}',
            "customer=cus_OWN&items[0][price]=price_MONTH&items[0][quantity]=2&default_payment_method=pm_OWN",
        ),
        Case(
            "subscriptions.update",
            "/subscriptions/sub_OWN",
            "/v1/subscriptions/sub_OWN",
            '{"items": [{"id": "si_OWN", "price": "price_MONTH"}], "default_payment_method": "pm_OWN"}',
            "items[0][id]=si_OWN&items[0][price]=price_MONTH&default_payment_method=pm_OWN",
        ),
        Case(
            "subscriptions.pause",
            "/subscriptions/sub_OWN/pause",
            "/v1/subscriptions/sub_OWN/pause",
            '{"type": "subscription", "invoicing_behavior": "invoice"}',
            "type=subscription&invoicing_behavior=invoice",
            given={"status": "active"},
        ),
        Case(
            "subscriptions.resume",
            "/subscriptions/sub_OWN/resume",
            "/v1/subscriptions/sub_OWN/resume",
            '{"payment_behavior": "resume_on_payment_attempt"}',
            "payment_behavior=resume_on_payment_attempt",
            given={"status": "paused"},
        ),
        Case(
            "subscriptions.cancel",
            "/subscriptions/sub_OWN",
            "/v1/subscriptions/sub_OWN?cancellation_details[feedback]=unused",
            '{"cancellation_details": {"feedback": "unused"}}',
        ),
        Case(
            "subscriptions.search",
            "/subscriptions/search?limit=2&query=status%3A%22active%22",
            "/v1/subscriptions/search?limit=2&query=status%3A%22active%22",
            given={"status": "active"},
        ),
        Case(
            "subscription_schedules.list",
            "/subscription_schedules?limit=2&customer=cus_OWN&scheduled=true",
            "/v1/subscription_schedules?limit=2&customer=cus_OWN&scheduled=true",
            given={"status": "not_started"},
        ),
        Case(
            "subscription_schedules.retrieve",
            "/subscription_schedules/sub_sched_OWN",
            "/v1/subscription_schedules/sub_sched_OWN",
        ),
        Case(
            "subscription_schedules.cancel",
            "/subscription_schedules/sub_sched_OWN/cancel",
            "/v1/subscription_schedules/sub_sched_OWN/cancel",
            given={"status": "active"},
        ),
        Case(
            "subscription_schedules.release",
            "/subscription_schedules/sub_sched_OWN/release",
            "/v1/subscription_schedules/sub_sched_OWN/release",
            '{"preserve_cancel_date": true}',
            "preserve_cancel_date=true",
            given={"status": "active"},
        ),
        Case(
            "payment_methods.list",
            "/payment_methods?limit=2&customer=cus_OWN&type=card",
            "/v1/payment_methods?limit=2&customer=cus_OWN&type=card",
        ),
        Case("payment_methods.retrieve", "/payment_methods/pm_OWN", "/v1/payment_methods/pm_OWN"),
        Case(
            "payment_methods.update",
            "/payment_methods/pm_OWN",
            "/v1/payment_methods/pm_OWN",
            '{"card": {"exp_month": 8, "exp_year": 2031}, "billing_details": {"address": {"line1": "Quay 1"}}}',
            "card[exp_month]=8&card[exp_year]=2031&billing_details[address][line1]=Quay 1",
        ),
        Case(
            "setup_intents.create",
            "/setup_intents",
            "/v1/setup_intents",
            '{"customer": "cus_OWN", "payment_method": "pm_OWN", "usage": "off_session"}',
            "customer=cus_OWN&payment_method=pm_OWN&usage=off_session",
        ),
        Case(
            "checkout_sessions.create",
            "/checkout/sessions",
            "/v1/checkout/sessions",
            f'{{"customer": "cus_OWN", "mode": "payment", "line_items": {_ITEMS}, "success_url": "{RETURN_URL}/ok"}}',
            "customer=cus_OWN&mode=payment&line_items[0][price]=price_ONE&line_items[0][quantity]=2"
            f"&success_url={RETURN_URL}/ok",
        ),
        Case(
            "checkout_sessions.expire",
            "/checkout/sessions/cs_test_OWN/expire",
            "/v1/checkout/sessions/cs_test_OWN/expire",
            given={"status": "open"},
        ),
        Case(
            "customer_sessions.create",
            "/customer_sessions",
            "/v1/customer_sessions",
            '{"customer": "cus_OWN", "components": {"payment_element": {"enabled": true, "features":'
            ' {"payment_method_redisplay": "enabled", "payment_method_allow_redisplay_filters": ["always"]}}}}',
            "customer=cus_OWN&components[payment_element][enabled]=true"
            "&components[payment_element][features][payment_method_redisplay]=enabled"
            "&components[payment_element][features][payment_method_allow_redisplay_filters][0]=always",
        ),
        Case(
            "ephemeral_keys.create",
            "/ephemeral_keys",
            "/v1/ephemeral_keys",
            '{"customer": "cus_OWN"}',
            "customer=cus_OWN",
        ),
        Case("checkout_sessions.retrieve", "/checkout/sessions/cs_test_OWN", "/v1/checkout/sessions/cs_test_OWN"),
        Case(
            "billing_portal_sessions.create",
            "/billing_portal/sessions",
            "/v1/billing_portal/sessions",
            f'{{"customer": "cus_OWN", "return_url": "{RETURN_URL}"}}',
            f"customer=cus_OWN&return_url={RETURN_URL}",
        ),
        Case("tax_ids.list", "/customers/cus_OWN/tax_ids?limit=2", "/v1/customers/cus_OWN/tax_ids?limit=2"),
        Case(
            "tax_ids.create",
            "/customers/cus_OWN/tax_ids",
            "/v1/customers/cus_OWN/tax_ids",
            '{"type": "eu_vat", "value": "DE123456789"}',
            "type=eu_vat&value=DE123456789",
        ),
        Case("tax_ids.delete", "/tax_ids/txi_OWN", "/v1/tax_ids/txi_OWN"),
        Case(
            "customer_balance_transactions.list",
            "/customers/cus_OWN/balance_transactions?limit=2",
            "/v1/customers/cus_OWN/balance_transactions?limit=2",
        ),
        Case(
            "active_entitlements.list",
            "/entitlements/active_entitlements?limit=2&customer=cus_OWN",
            "/v1/entitlements/active_entitlements?limit=2&customer=cus_OWN",
        ),
        Case(
            "billing_meter_events.create",
            "/billing/meter_events",
            "/v1/billing/meter_events",
            '{"event_name": "calls", "payload": {"stripe_customer_id": "cus_OWN", "value": "25"}}',
            "event_name=calls&payload[stripe_customer_id]=cus_OWN&payload[value]=25",
        ),
        Case(
            "billing_meters.list", "/billing/meters?limit=2&status=active", "/v1/billing/meters?limit=2&status=active"
        ),
        Case(
            "disputes.list",
            "/disputes?limit=2&payment_intent=pi_OWN&charge=ch_OWN",
            "/v1/disputes?limit=2&payment_intent=pi_OWN&charge=ch_OWN",
        ),
        Case("disputes.retrieve", "/disputes/dp_OWN", "/v1/disputes/dp_OWN"),
        Case("coupons.list", "/coupons?limit=2", "/v1/coupons?limit=2"),
        Case("coupons.retrieve", "/coupons/SPRING", "/v1/coupons/SPRING"),
        Case(
            "promotion_codes.list",
            "/promotion_codes?limit=2&coupon=SPRING&active=true",
            "/v1/promotion_codes?limit=2&coupon=SPRING&active=true",
        ),
        Case(
            "promotion_codes.find",
            "/promotion_codes/find?limit=2&code=HELLO",
            "/v1/promotion_codes?limit=2&code=HELLO",
        ),
        Case("promotion_codes.retrieve", "/promotion_codes/promo_ONE", "/v1/promotion_codes/promo_ONE"),
        Case("payment_links.list", "/payment_links?limit=2&active=true", "/v1/payment_links?limit=2&active=true"),
        Case("payment_links.retrieve", "/payment_links/plink_ONE", "/v1/payment_links/plink_ONE"),
        Case(
            "customers.search",
            "/customers/search?limit=2&query=email%3A%22own%40example.com%22",
            "/v1/customers/search?limit=2&query=email%3A%22own%40example.com%22",
        ),
        Case(
            "payment_intents.search",
            "/payment_intents/search?limit=2&query=currency%3A%22eur%22",
            "/v1/payment_intents/search?limit=2&query=currency%3A%22eur%22",
        ),
        Case(
            "charges.search",
            "/charges/search?limit=2&query=customer%3A%22cus_OWN%22",
            "/v1/charges/search?limit=2&query=customer%3A%22cus_OWN%22",
        ),
        Case("products.list", "/products?limit=2&active=true", "/v1/products?limit=2&active=true"),
        Case("products.retrieve", "/products/prod_ONE", "/v1/products/prod_ONE"),
        Case("prices.list", "/prices?limit=2&product=prod_ONE", "/v1/prices?limit=2&product=prod_ONE"),
        Case("prices.retrieve", "/prices/price_ONE", "/v1/prices/price_ONE"),
        Case(
            "balance_transactions.list",
            "/balance_transactions?limit=2&type=charge",
            "/v1/balance_transactions?limit=2&type=charge",
        ),
        Case("payment_methods.detach", "/payment_methods/pm_OWN/detach", "/v1/payment_methods/pm_OWN/detach"),
    )
}

# A row that is of use for its secret alone is off unless the operator exposes secrets.
CASES = {name: case for name, case in EVERY_CASE.items() if not case.row.for_secret}
SECRET_CASES = {name: case for name, case in EVERY_CASE.items() if case.row.for_secret}
