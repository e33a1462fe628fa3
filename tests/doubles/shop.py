"""An account at a Stripe stand-in, used through Stripe's API, with a customer that has one object of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import aiohttp

from deploy.stripe_stand_in import KEY, PUBLISHABLE_KEY

RETURN = "https://app.example.com/account"
_LATER = 4_000_000_000
_CARD = "type=card&card[token]=tok_visa"


@dataclass(frozen=True, slots=True)
class Account:
    """Parameters are written as in a query, unquoted."""

    url: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {KEY}"}

    async def ask(
        self, method: str, path: str, parameters: str = "", *, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send parameters in the query, or in the body of a POST; `key` is the idempotency key."""
        values = parse_qsl(parameters, keep_blank_values=True, strict_parsing=bool(parameters))
        sent: dict[str, Any] = {"data" if method == "POST" else "params": values}
        headers = self.headers if key is None else {**self.headers, "Idempotency-Key": key}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.url}/v1/{path}", **sent) as answer,
        ):
            body = await answer.json() if answer.content_type == "application/json" else {}
            return answer.status, body

    async def ask_as_browser(self, method: str, path: str, parameters: str = "") -> tuple[int, dict[str, Any]]:
        """Ask as Stripe.js does, with the publishable key among the parameters."""
        values = [("key", PUBLISHABLE_KEY), *parse_qsl(parameters)]
        sent: dict[str, Any] = {"data" if method == "POST" else "params": values}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}/v1/{path}", **sent) as answer,
        ):
            return answer.status, await answer.json()

    async def authenticate(self, url: str, outcome: str) -> str:
        """Press a button on the bank's page; give the address to which the browser goes then, or what the page says."""
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as page:
                assert 'name="outcome"' in await page.text()
            async with session.post(url, data={"outcome": outcome}, allow_redirects=False) as answer:
                return answer.headers.get("Location") or await answer.text()

    async def get(self, path: str, parameters: str = "") -> dict[str, Any]:
        return await self._have("GET", path, parameters)

    async def post(self, path: str, parameters: str = "", *, key: str | None = None) -> dict[str, Any]:
        return await self._have("POST", path, parameters, key=key)

    async def delete(self, path: str) -> dict[str, Any]:
        return await self._have("DELETE", path)

    async def ids(self, path: str, parameters: str = "") -> list[str]:
        return [entry["id"] for entry in (await self.get(path, parameters))["data"]]

    async def _have(self, method: str, path: str, parameters: str = "", *, key: str | None = None) -> dict[str, Any]:
        status, body = await self.ask(method, path, parameters, key=key)
        assert status == 200, body
        return body


@dataclass(frozen=True, slots=True)
class Shop:
    """`ids` has a name for each object: a product, its three prices, and one of each kind of a customer's objects."""

    account: Account
    ids: Mapping[str, str]

    def filled(self, text: str) -> str:
        """Replace each {name} by its ID."""
        return text.format_map(self.ids)

    def __getitem__(self, name: str) -> str:
        return self.ids[name]

    async def customer(self) -> dict[str, str]:
        """Create a customer with one object of each kind; give their IDs by name."""
        post = self.account.post
        customer = (await post("customers", "email=ada@example.com"))["id"]
        method = (await post("payment_methods", _CARD))["id"]
        await post(f"payment_methods/{method}/attach", f"customer={customer}")
        await post(f"customers/{customer}", f"invoice_settings[default_payment_method]={method}")
        paid = f"amount=900&currency=eur&customer={customer}&payment_method={method}&confirm=true&off_session=true"
        payment = await post("payment_intents", paid)
        subscription = await post("subscriptions", f"customer={customer}&items[0][price]={self['monthly']}")
        saving = f"customer={customer}&mode=setup&currency=eur&success_url={RETURN}"
        return {
            "customer": customer,
            "payment_method": method,
            "payment_intent": payment["id"],
            "charge": payment["latest_charge"],
            "refund": (await post("refunds", f"payment_intent={payment['id']}&amount=100"))["id"],
            "subscription": subscription["id"],
            "item": subscription["items"]["data"][0]["id"],
            "invoice": subscription["latest_invoice"],
            "setup_intent": (await post("setup_intents", f"customer={customer}"))["id"],
            "session": (await post("checkout/sessions", saving))["id"],
        }

    async def records(self) -> dict[str, str]:
        """Create what Stripe keeps of the customer beside its payments; give the IDs by name."""
        post, customer = self.account.post, self["customer"]
        disputed = (await post("payment_methods", "type=card&card[token]=tok_createDispute"))["id"]
        await post(f"payment_methods/{disputed}/attach", f"customer={customer}")
        paying = f"customer={customer}&payment_method={disputed}&confirm=true&off_session=true"
        payment = await post("payment_intents", f"amount=900&currency=eur&{paying}")
        quote = (await post("quotes", f"customer={customer}&line_items[0][price]={self['once']}"))["id"]
        later = f"start_date={_LATER}&phases[0][items][0][price]={self['monthly']}"
        return {
            "disputed": payment["id"],
            "dispute": (await self.account.ids("disputes", f"payment_intent={payment['id']}"))[0],
            "credit_note": (await post("credit_notes", f"invoice={self['invoice']}&amount=100"))["id"],
            "quote": (await post(f"quotes/{quote}/finalize"))["id"],
            "schedule": (await post("subscription_schedules", f"customer={customer}&{later}"))["id"],
            "tax_id": (await post(f"customers/{customer}/tax_ids", "type=eu_vat&value=DE123456789"))["id"],
            "credit": (await post(f"customers/{customer}/balance_transactions", "amount=100&currency=eur"))["id"],
        }


async def _offers(account: Account, price: str) -> dict[str, str]:
    """Create a coupon, a code for it, a link to pay by and a meter."""
    new, word = account.post, price.rpartition("_")[2]
    coupon = (await new("coupons", "percent_off=25.5&duration=once"))["id"]
    code = await new("promotion_codes", f"promotion[type]=coupon&promotion[coupon]={coupon}&code=HELLO{word}")
    link = await new("payment_links", f"line_items[0][price]={price}&line_items[0][quantity]=1")
    counting = "display_name=Calls&default_aggregation[formula]=sum"
    meter = await new("billing/meters", f"{counting}&event_name=calls_{word}")
    return {
        "coupon": coupon,
        "promotion_code": code["id"],
        "code": code["code"],
        "link": link["id"],
        "event": meter["event_name"],
    }


async def open_shop(account: Account) -> Shop:
    """Create the product, its prices and one customer."""
    product = (await account.post("products", "name=Tea"))["id"]
    price = f"product={product}&currency=eur&unit_amount=500"
    prices = {
        "once": await account.post("prices", price),
        "monthly": await account.post("prices", f"{price}&recurring[interval]=month"),
        "yearly": await account.post("prices", f"{price}&recurring[interval]=year"),
    }
    offers = await _offers(account, prices["once"]["id"])
    empty = Shop(account, {"product": product, **{name: made["id"] for name, made in prices.items()}, **offers})
    return Shop(account, {**empty.ids, **await empty.customer()})
