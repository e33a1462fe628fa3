"""Writes the members that views show of what Stripe wrote, without parsing the others.

The names of the members of an object are read, and the members that are shown are copied as they are written. Only
one that holds an object or a list is parsed. What is written holds no secret; where bytes cannot tell, nothing is.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

import msgspec
import orjson

from sidecar.core.operations.resources import CUSTOMER, RESOURCES, customer_of
from sidecar.core.pages import Listed, Page
from sidecar.core.secret_values import ALL
from sidecar.core.stripe_json import parsed
from sidecar.core.views import CallerView, View, ViewByCustomer

_NAME = re.compile(r'[^"\\\x00-\x1f]+')  # written in JSON as it is
_CONTAINERS = (b"{", b"[")
_FULL_LIST = re.compile(rb"\[(?!\])")
# Kinds whose objects name their customer where `Listed` looks for it, beside those that are not known.
_USUAL = frozenset(kind for kind in RESOURCES if customer_of({"object": kind, "customer": "cus_1"}) == "cus_1")
_OTHERS = RESOURCES.keys() - _USUAL


def view_of_all(page: Page, view: CallerView) -> CallerView:
    """Give the one view that all objects of the page have, where they have one and it is known without parsing."""
    if not isinstance(view, ViewByCustomer):
        return view
    owners = _owners(page.listed)
    if not owners:
        return view
    first, *others = [view.of_customer(owner) for owner in frozenset(owners)]
    return first if all(other == first for other in others) else view


def reduced(page: Page, view: CallerView) -> bytes | None:
    """Give the objects as the view shows them, with commas between them; None where they have to be parsed.

    That is where a view shows an object's secrets, or every attribute, and where what is shown may hold a secret.
    """
    if page.written is None:
        return None
    try:
        objects = _objects(page, view)
    except (ValueError, RecursionError):
        return None
    if objects is None:
        return None
    written = msgspec.json.encode(objects)[1:-1]
    return None if ALL.may_be_in(written) else written


def _objects(page: Page, view: CallerView) -> Sequence[msgspec.Struct] | None:
    kinds = {entry.object for entry in page.listed}
    if None in kinds:
        return None  # so that each object shows something, by which `_is_flat` tells it from what is within
    if isinstance(view, View):
        if len(kinds) > 1 or not _is_reduced(view):
            return None
        return [one for kind in kinds for one in _read(page.written or b"", view, str(kind))]
    owners = _owners(page.listed) if isinstance(view, ViewByCustomer) else None
    if owners is None or not isinstance(view, ViewByCustomer):
        return None
    views = [view.of_customer(owner) for owner in owners]
    if not all(map(_is_reduced, views)):
        return None
    each = zip(page.texts, views, page.listed, strict=True)
    return [_read(text, one, str(listed.object))[0] for text, one, listed in each]


def _owners(listed: Sequence[Listed]) -> Sequence[str | None] | None:
    """Give the customer of each object; None where only the objects themselves tell."""
    kinds = {entry.object for entry in listed}
    if kinds.isdisjoint(_OTHERS):
        return [entry.customer_id for entry in listed]
    return [entry.id for entry in listed] if kinds == {CUSTOMER.kind} else None


def _is_reduced(view: View) -> bool:
    return not view.everything and not view.shows_secrets


def _read(written: bytes, view: View, kind: str) -> list[msgspec.Struct]:
    names = view.names(kind)
    objects = _decoder(names).decode(b"[" + written + b"]")
    plain = names.isdisjoint(view.closed(kind))
    for entry in objects if not (plain and _is_flat(objects)) else ():
        _reduce(entry, view, kind)
    return objects


def _is_flat(objects: Collection[msgspec.Struct]) -> bool:
    """Say whether no member is an object or a list with anything in it; a text may look as if one were."""
    written = msgspec.json.encode(objects)[1:-1]
    within = written.count(b"{") - written.count(b"{}")
    return within <= sum(1 for _ in objects) and _FULL_LIST.search(written) is None


def _reduce(entry: msgspec.Struct, view: View, kind: str) -> None:
    for field, name in zip(entry.__struct_fields__, entry.__struct_encode_fields__, strict=True):
        value = getattr(entry, field)
        if value is msgspec.UNSET or not (name in view.closed(kind) or bytes(value).startswith(_CONTAINERS)):
            continue
        shown = orjson.dumps(view.member(kind, name, parsed(bytes(value))))
        setattr(entry, field, msgspec.Raw(shown))


@lru_cache(maxsize=256)
def _decoder(names: frozenset[str]) -> msgspec.json.Decoder[list[msgspec.Struct]]:
    """Make a reader of objects with these members alone. Raises ValueError for a name that JSON may write otherwise."""
    if not all(map(_NAME.fullmatch, names)):
        raise ValueError("a name that is written in several ways")
    fields = [(f"member_{place}", name) for place, name in enumerate(sorted(names, key=_usual_order))]
    shape = msgspec.defstruct(
        "Shown",
        [(field, msgspec.Raw | msgspec.UnsetType, msgspec.field(default=msgspec.UNSET)) for field, _ in fields],
        rename=dict(fields),
        gc=False,
    )
    return msgspec.json.Decoder(list[shape])  # type: ignore[valid-type]  # made from a permission's fields


def _usual_order(name: str) -> tuple[bool, bool, str]:
    """Order names as Stripe does."""
    return name != "id", name != "object", name
