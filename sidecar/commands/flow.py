"""The Flow that creates a customer for each new item, with a user of its own whose token stands in it.

It is made in one request, so there is no half of one. That it is ours shows by its description, which the app keeps.
Whoever may read Flows, which without a permission only administrators may, sees that token; it opens what its policy
says and no more.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from sidecar.clients.directus.client import segment
from sidecar.commands.account import Account, provide_user
from sidecar.commands.administrator import Administration, Administrator, AdministratorFault, Row
from sidecar.commands.grants import provide_policy
from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import Right
from sidecar.core.access.permissions import Action
from sidecar.settings import OperationsSettings, SettingsFault

NAME = "Stripe customer for a new item"
_MARK = "Made by the Stripe sidecar's command `provision --flow`, which finds it by this text."
_POLICY = "What the Flow needs that creates a customer at Stripe for each new item."
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9_-]+)+")
_MENDED = {"url": "now calls the address that was given", "headers": "has a token of its user again"}
_OWN_ADDRESS = (
    "if Directus and the sidecar share a machine or a pod, take 0.0.0.0 out of Directus's IMPORT_IP_DENY_LIST and keep "
    "169.254.169.254: without that the Flow's call is refused, and only the log of Directus says so"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    collection: str
    email_field: str
    target: str  # the URL that the Flow calls

    @property
    def name(self) -> str:
        return f"{NAME} ({self.collection})"


def require_address(address: str) -> None:
    """Raise SettingsFault for what is no address of a sidecar."""
    if not _ADDRESS.fullmatch(address):
        raise SettingsFault(
            ["--flow: must be the sidecar's address as Directus sees it, such as http://sidecar:8080/stripe"]
        )


def provide_flow(admin: Administration, settings: OperationsSettings, address: str) -> Iterator[Line]:
    """Make the Flow with its user, or mend its address. One that somebody else made is a fault and is not touched."""
    wanted = _Wanted(settings.stripe_customers_collection, _email_field(admin, settings), f"{address}/customers")
    ours = _found(admin, wanted)
    policy = yield from provide_policy(admin, wanted.name, _POLICY, _rights(settings, wanted))
    user = yield from provide_user(admin, policy, _account(wanted))
    if ours is None:
        yield _make(admin, wanted, user)
        yield Line(Word.NOTE, _OWN_ADDRESS)
        return
    yield _mended(admin, ours, wanted, user, settings.directus_url)
    if ours.get("status") != "active":
        yield Line(Word.FAULT, f'the Flow "{wanted.name}" is inactive: activate it in Directus')


def _email_field(admin: Administration, settings: OperationsSettings) -> str:
    collection, field = settings.stripe_customers_collection, settings.field_map.field_of("email")
    there = {str(row["field"]) for row in admin.rows(f"fields/{segment(collection)}")}
    if field is None or field not in there:
        raise AdministratorFault(
            f"--flow: {collection} has no field with a customer's e-mail address; map one to email in STRIPE_FIELD_MAP."
        )
    return field


def _found(admin: Administration, wanted: _Wanted) -> Row | None:
    """Give the Flow that an earlier run made. Raises AdministratorFault for one by hand that would do the same."""
    found = admin.rows("flows", {"name": {"_in": [NAME, wanted.name]}})
    ours = [flow for flow in found if flow.get("description") == _MARK and flow.get("name") == wanted.name]
    by_hand = [flow for flow in found if flow not in ours and _is_for(flow, wanted)]
    if by_hand or len(ours) > 1:
        flow = (by_hand or ours)[-1]
        raise AdministratorFault(
            f'Directus has a Flow "{flow["name"]}" ({flow["id"]}) that this command did not make, or a copy: '
            "it is left as it is. Delete or rename it, then run this again."
        )
    return ours[0] if ours else None


def _is_for(flow: Row, wanted: _Wanted) -> bool:
    options = flow.get("options")
    collections = options.get("collections") if isinstance(options, dict) else None
    return flow.get("name") == wanted.name or (isinstance(collections, list) and wanted.collection in collections)


def _rights(settings: OperationsSettings, wanted: _Wanted) -> list[Right]:
    collection, email = wanted.collection, (wanted.email_field,)
    seen = (settings.stripe_customers_primary_key, settings.stripe_customer_id_field)
    return [
        Right(collection, Action.CREATE, email),
        Right(collection, Action.READ, seen),
        Right(collection, Action.UPDATE, email),
    ]


def _account(wanted: _Wanted) -> Account:
    return Account("Stripe Flow", wanted.collection, "Has no login, only the static token that stands in its Flow.")


def _make(admin: Administration, wanted: _Wanted, user: str) -> Line:
    token = _new_token(admin, user)
    admin.create("flows", _flow(wanted, token))
    return Line(
        Word.CREATED, f'Flow "{wanted.name}": each new item of {wanted.collection} gets a customer by {wanted.target}'
    )


def _new_token(admin: Administration, user: str) -> str:
    """Give the user another token: an earlier one cannot be read, and nothing but the Flow uses it."""
    token = secrets.token_urlsafe(32)
    admin.change(f"users/{user}", {"token": token})
    return token


def _flow(wanted: _Wanted, token: str) -> Row:
    first, second, failed = (str(uuid4()) for _ in range(3))
    tell: Row = {
        "id": failed,
        "key": "failed",
        "name": "Say what went wrong",
        "type": "log",
        "position_x": 55,
        "position_y": 19,
        "options": {
            "message": f"No Stripe customer for item {{{{$trigger.key}}}} of {wanted.collection}: {{{{$last}}}}"
        },
    }
    create: Row = {
        "id": second,
        "key": "create",
        "name": "Create the customer",
        "type": "request",
        "position_x": 37,
        "position_y": 1,
        "reject": failed,
        "options": {
            "method": "POST",
            "url": wanted.target,
            "body": "{{$last}}",
            "headers": _headers(token),
        },
    }
    payload: Row = {
        "id": first,
        "key": "customer",
        "name": "What Stripe gets",
        "type": "transform",
        "position_x": 19,
        "position_y": 1,
        "resolve": second,
        "options": {"json": {"item": "{{$trigger.key}}", "email": f"{{{{$trigger.payload.{wanted.email_field}}}}}"}},
    }
    return {
        "name": wanted.name,
        "icon": "credit_card",
        "description": _MARK,
        "status": "active",
        "trigger": "event",
        "options": {"type": "action", "scope": ["items.create"], "collections": [wanted.collection]},
        "operation": first,
        "accountability": "activity",  # the log of a run would keep the token, so failures have a step of their own
        "operations": [tell, create, payload],  # the one that another names must be there first
    }


def _mended(admin: Administration, flow: Row, wanted: _Wanted, user: str, url: str) -> Line:
    """Correct the address and the token alone: whatever else differs, somebody changed on purpose."""
    requests = [row for row in admin.rows("operations", {"flow": {"_eq": flow["id"]}}) if row.get("type") == "request"]
    if len(requests) != 1 or not isinstance(requests[0].get("options"), dict):
        raise AdministratorFault(f'The Flow "{wanted.name}" has lost its one request. Delete it, then run this again.')
    options, values = requests[0]["options"], dict[str, object]()
    if options.get("url") != wanted.target:
        values["url"] = wanted.target
    ours, others = _divided(options.get("headers"))
    if not _is_token_of(user, ours, url):
        values["headers"] = [*others, *_headers(_new_token(admin, user))]
    if not values:
        return Line(Word.UNCHANGED, f'Flow "{wanted.name}"')
    admin.change(f"operations/{requests[0]['id']}", {"options": {**options, **values}})
    return Line(Word.CHANGED, f'Flow "{wanted.name}": {", ".join(_MENDED[name] for name in values)}')


def _headers(token: str) -> list[Row]:
    return [{"header": "Authorization", "value": f"Bearer {token}"}]


def _divided(headers: object) -> tuple[list[Row], list[Row]]:
    """Divide a request's headers into those that say who asks, and the others."""
    rows = [row for row in headers if isinstance(row, dict)] if isinstance(headers, list) else []
    ours = [row for row in rows if str(row.get("header")).strip().lower() == "authorization"]
    return ours, [row for row in rows if row not in ours]


def _is_token_of(user: str, headers: list[Row], url: str) -> bool:
    """Ask Directus whose token stands in the Flow, since it shows no token of a user's."""
    match headers:
        case [{"value": str(value)}] if value.startswith("Bearer "):
            return _user_of(value.removeprefix("Bearer "), url) == user
        case _:
            return False


def _user_of(token: str, url: str) -> object:
    try:
        me = Administrator(url, token).find("users/me")
    except AdministratorFault:
        return None
    return me and me.get("id")
