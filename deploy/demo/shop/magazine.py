"""What Directus holds for the shop: members, articles for those who subscribe, and how people become members."""

from collections.abc import Mapping
from typing import Any

from deploy.demo.admin import DirectusAdmin, Rule

MEMBERS, ARTICLES, WINDOW = "members", "articles", "shop_window"
STATUS = "plan_status"
FIELD_MAP = {"name": "name", "email": "email", STATUS: "subscription.status"}
ARTICLE = {
    "title": "Notes on the Analytical Engine",
    "text": "It can do whatever we know how to order it to perform. It weaves algebraical patterns just as the "
    "Jacquard loom weaves flowers and leaves.",
    "open_to": "active",
}
_ME = "$CURRENT_USER"
_OWN = {"owner": {"_eq": _ME}}
_KEY = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}}
_MEMBER = (
    Rule("directus_users", "read", ("id", "email"), {"id": {"_eq": _ME}}),
    Rule(WINDOW, "read"),
    # Everybody has at most one item, which is its own from the beginning. Nobody writes the status but the sidecar.
    Rule(MEMBERS, "create", ("name", "email"), presets={"owner": _ME}),
    Rule(MEMBERS, "read", ("id", "name", "email", "stripe_customer_id", STATUS), _OWN),
    Rule(MEMBERS, "update", ("name", "email"), _OWN),
    Rule(ARTICLES, "read", ("id", "title", "text"), {"open_to": {"_in": f"{_ME}.{MEMBERS}.{STATUS}"}}),
)


async def open_window(admin: DirectusAdmin, window: Mapping[str, str]) -> None:
    """Let everybody read the shop window: one item with these texts."""
    await _collection(admin, WINDOW, *window, singleton=True)
    await admin.request("PATCH", f"/items/{WINDOW}", dict(window))
    public = await admin.policy("shop window", [Rule(WINDOW, "read")])
    await admin.request("POST", "/access", {"policy": public})


async def publish(admin: DirectusAdmin) -> None:
    """Add the article, and let everybody sign up as a member. The members' collection must be provisioned."""
    await _give_owners(admin)
    await _collection(admin, ARTICLES, *ARTICLE)
    await admin.request("POST", f"/items/{ARTICLES}", ARTICLE)
    role = (await admin.request("POST", "/roles", {"name": "member of the magazine"}))["id"]
    policy = await admin.policy("member of the magazine", _MEMBER)
    await admin.request("POST", "/access", {"role": role, "policy": policy})
    await _let_sign_up(admin, role)


async def _collection(admin: DirectusAdmin, name: str, *texts: str, singleton: bool = False) -> None:
    fields: list[dict[str, Any]] = [{"field": text, "type": "text", "schema": {}} for text in texts]
    new = {"collection": name, "meta": {"singleton": singleton}, "schema": {}, "fields": [_KEY, *fields]}
    await admin.request("POST", "/collections", new)


async def _give_owners(admin: DirectusAdmin) -> None:
    """Give each item an owner, and each user its items as `members`, for the rule of the articles."""
    owner = {"field": "owner", "type": "uuid", "schema": {"is_unique": True}, "meta": {"special": ["m2o"]}}
    await admin.request("POST", f"/fields/{MEMBERS}", owner)
    items = {"field": MEMBERS, "type": "alias", "meta": {"special": ["o2m"]}}
    await admin.request("POST", "/fields/directus_users", items)
    relation = {"collection": MEMBERS, "field": "owner", "related_collection": "directus_users"}
    rest = {"meta": {"one_field": MEMBERS}, "schema": {"on_delete": "SET NULL"}}
    await admin.request("POST", "/relations", relation | rest)


async def _let_sign_up(admin: DirectusAdmin, role: str) -> None:
    """Open `POST /users/register`; a shop would also ask new users to confirm their e-mail address."""
    opened = {"public_registration": True, "public_registration_verify_email": False}
    await admin.request("PATCH", "/settings", opened | {"public_registration_role": role})
