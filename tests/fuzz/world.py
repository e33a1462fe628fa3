"""The two upstreams of a run: an account in which each object shows whose it is, and the items of each caller.

Marks in contents tell whose data an answer shows. No request contains one.
"""

from pathlib import Path
from urllib.parse import quote

from tests.doubles.directus import DirectusDouble, User, full, grants
from tests.doubles.events import OTHER_SECRET, SECRET
from tests.doubles.running_app import KEY, SERVICE_TOKEN
from tests.doubles.samples import RETURN_URL
from tests.doubles.stripe import CLIENT_SECRET, StripeDouble
from tests.fuzz.people import CORE, FOREIGN, HIDDEN, ID, PEOPLE, WORDS
from tests.unit.web.table.people import furnish as furnish_shop
from tests.unit.web.table.people import rules

ORIGIN = "https://app.example.com"  # the one listed origin
# These stand only in attributes that no field maps to: of what customers own, and of what nobody owns.
UNMAPPED, UNMAPPED_IN_SHOP = "unmapped-mark", "unmapped-shop-mark"
SIGNING, LOGOUT = f"MARKEDsigning{'x' * 32}", f"MARKEDlogout{'x' * 32}"
SECRETS = frozenset({KEY, SERVICE_TOKEN, SECRET, OTHER_SECRET, CLIENT_SECRET, CORE, SIGNING, LOGOUT})
# An address that holds a client secret, as Stripe's pages to authenticate at have it, escaped as well.
_SECRET = f"pi_1{CLIENT_SECRET}"
WITHIN = f"https://hooks.stripe.com/x?payment_intent_client_secret={_SECRET}&back={quote(f'?secret={_SECRET}')}"
FREE_ITEMS = tuple(f"free-{number}" for number in range(20))
_OWNED = (*WORDS, FOREIGN, HIDDEN)
_SERVICE = User(
    "service",
    SERVICE_TOKEN,
    grants(read=full("id", ID, "name", "email"), update=full(ID, "name", "email"))
    | {f"directus_{name}": {"read": full()} for name in ("access", "permissions", "policies", "roles")}
    | grants("shop", read=full()),
)


def mark(word: str) -> str:
    """Give the mark in the contents of this owner's objects."""
    return f"content-of-{word.lower()}-mark"


def settings(folder: Path, **others: str) -> dict[str, str]:
    """Give the service's variables with everything on, beside those of the doubles' addresses and of the key."""
    file = folder / "operations.toml"
    file.write_text(rules({}))
    return {
        "STRIPE_OPERATIONS": str(file),
        "ALLOWED_RETURN_URLS": RETURN_URL,
        "ALLOWED_ORIGINS": ORIGIN,
        "STRIPE_WRITE_BACK": "true",
        "STRIPE_WEBHOOK_SECRET": f"{SECRET},{OTHER_SECRET}",
        "DIRECTUS_SERVICE_TOKEN": SERVICE_TOKEN,
        "SIDECAR_SECRET": SIGNING,
        "LOGOUT_SECRET": LOGOUT,
        "LOG_LEVEL": "DEBUG",
        "PERMISSIONS_CACHE_TTL": "5",
        "PERMISSIONS_DENIED_TTL": "5",
        "STRIPE_MAX_RPS": "10000",
        "STRIPE_ACCOUNT_RPS": "10000",
        "KEEPALIVE_TIMEOUT": "0.3",
        **others,
    }


# The status of some objects of a kind, so that what can be done only once can be done to some whatever came before.
_SOME = {"invoice": "draft", "quote": "accepted", "subscription": "paused", "subscription_schedule": "released"}


def furnish(directus: DirectusDouble, stripe: StripeDouble) -> None:
    """Put both upstreams into the state in which a part of a run begins."""
    for double in (directus, stripe):
        double.requests.clear()
    for objects in stripe.objects.values():
        objects.clear()
    stripe.account.spent.clear()
    furnish_shop(stripe, _OWNED)
    for kind, status in _SOME.items():
        for each in stripe.objects[kind][::3]:
            each["status"] = status
    for objects in stripe.objects.values():
        for each in objects:
            _mark(each)
    directus.rows["customers"] = {}
    directus.users[SERVICE_TOKEN] = _SERVICE
    owners = {person.word: person.user.name for person in PEOPLE}
    for word in _OWNED:
        directus.add_row(
            id=word, owner=owners.get(word, "somebody"), stripe_customer_id=f"cus_{word}", name=word, email="a@b.co"
        )
    for number, item in enumerate(FREE_ITEMS):
        owner = owners["OWN"] if number % 2 else "somebody"
        directus.add_row(id=item, owner=owner, name="Ada", email="ada@example.com")


def _mark(each: dict[str, object]) -> None:
    word = next((word for word in _OWNED if str(each.get("id")).endswith(f"_{word}")), None)
    unmapped = UNMAPPED_IN_SHOP if word is None else UNMAPPED
    each |= {"metadata": {"mark": unmapped}, "private": unmapped, "next_action": {"redirect_to_url": {"url": WITHIN}}}
    if word is not None:
        each["description"] = mark(word)
