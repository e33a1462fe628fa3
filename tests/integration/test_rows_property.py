"""For random policies and rows the sidecar gives what the reference gives: never more, and within the cap no less.

`./tests/run.sh arrangements 500` tries as many arrangements; the ordinary run tries a few.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from deploy.demo.admin import DirectusAdmin, Person, login
from tests.integration.asking import ask, unmarked
from tests.integration.conftest import Newcomer
from tests.integration.portal import ID, ORGANIZATIONS, OWN, Item, Portal
from tests.integration.reference import Object, VisibleFields, seen, visible_fields, whole_list

Fields = tuple[str, ...] | None
Reading = tuple[Fields, Item | None]
Writing = tuple[Literal["create", "update"], Fields, Item | None]
Row = Mapping[str, str | None]
Place = tuple[str, str | None]

CUSTOMERS = 5
_POLICIES = 3
_LISTABLE = ("id", "name", "email", "phone", "owner")

_some_fields = st.sets(st.sampled_from(_LISTABLE)).map(lambda names: tuple(sorted(names)))
_with_id = _some_fields.map(lambda names: (*names, ID))
_field_lists: st.SearchStrategy[Fields] = st.one_of(
    _with_id, _with_id, _with_id, st.just(("*",)), st.sampled_from((None, (), ("name",), ("id", "email")))
)
_simple_rules = st.sampled_from(
    (
        OWN,
        ORGANIZATIONS,
        {"name": {"_eq": "Ada"}},
        {"name": {"_neq": "Ada"}},
        {"phone": {"_starts_with": "+1"}},
        {"organization": {"manager": {"email": {"_nnull": True}}}},
        {"id": {"_null": True}},
    )
)
_rules: st.SearchStrategy[Item] = st.recursive(
    _simple_rules,
    lambda inner: st.builds(
        lambda how, parts: {how: parts}, st.sampled_from(("_and", "_or")), st.lists(inner, min_size=2, max_size=2)
    ),
    max_leaves=3,
)
_items = st.one_of(st.none(), _rules, _rules, _rules)
_values = st.fixed_dictionaries(
    {
        "owner": st.sampled_from(("me", "another")),
        "organization": st.sampled_from(("mine", "another's")),
        "name": st.sampled_from(("Ada", "Grace")),
        "phone": st.sampled_from(("+1", "+49")),
    }
)
# A row contains a customer's number, or a string that is no customer's ID.
_ids = st.permutations((*map(str, range(CUSTOMERS)), None, "cus_None", "cus_a/../b"))
_rows: st.SearchStrategy[list[Row]] = st.builds(
    lambda ids, values: [{**each, ID: name} for name, each in zip(ids, values, strict=False)],
    _ids,
    st.lists(_values, min_size=2, max_size=6),
)
_rights: st.SearchStrategy[Writing] = st.tuples(
    st.sampled_from(("create", "update")), st.one_of(_some_fields, _field_lists), _items
)
_nothing: st.SearchStrategy[list[Writing]] = st.just([])
_writing = st.one_of(_nothing, _nothing, st.lists(_rights, max_size=2))
_same_fields = st.tuples(_field_lists, st.lists(_items, min_size=1, max_size=_POLICIES)).map(
    lambda drawn: [(drawn[0], item) for item in drawn[1]]
)
_any_fields = st.lists(st.tuples(_field_lists, _items), min_size=2, max_size=_POLICIES)
# Who holds a policy, and the addresses where it applies: here, elsewhere, or everywhere.
_holders = st.sampled_from(("role", "role", "parent", "grandparent", "user", "another's role", "nobody's"))
_ELSEWHERE = "192.0.2.0/24"
_networks = st.sampled_from((None, None, None, "127.0.0.0/8", _ELSEWHERE))
_places = st.lists(st.tuples(_holders, _networks), min_size=_POLICIES, max_size=_POLICIES)
_HERE: tuple[Place, ...] = (("role", None),) * _POLICIES
_HOLDERS = {"role", "parent", "grandparent", "user"}

_numbers = st.integers(0, CUSTOMERS - 1)

_asked = settings(
    max_examples=int(os.environ.get("ARRANGEMENTS", "8")),
    deadline=None,
    derandomize=True,
    database=None,
    # Each example creates its own policies and rows within the fixtures; shrinking an example takes too long.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rights to read, each in its own policy, rights to write in the first, who holds the policies, and the rows.

    `number` is the customer that is asked for by itself.
    """

    reading: Sequence[Reading]
    writing: Sequence[Writing]
    rows: Sequence[Row]
    number: int
    places: Sequence[Place] = _HERE


@dataclass(frozen=True, slots=True)
class World:
    """A portal with five customers, and a person with three policies that each example fills again.

    `holders` are the access rows that give a policy to somebody, and `session` is the person's.
    """

    portal: Portal = field(repr=False)
    person: Person = field(repr=False)
    session: str = field(repr=False)
    policies: Sequence[str]
    places: Mapping[str, str | int]
    holders: Mapping[str, Mapping[str, str | None]]
    customers: Sequence[str]

    async def becomes(self, each: Arrangement) -> None:
        admin, rule, items = self.portal.stack.admin, self.portal.names.rule, self.portal.path
        rights = [(policy, rule("read", *right)) for policy, right in zip(self.policies, each.reading, strict=False)]
        rights += [(self.policies[0], rule(*right)) for right in each.writing]
        await admin.request("DELETE", "/permissions", {"query": self._theirs})
        for right in rights:
            await admin.permission(*right)
        await self._give(each.places)
        await admin.request("DELETE", items, {"query": {"filter": {"id": {"_nnull": True}}}})
        await admin.request("POST", items, [self._row(row) for row in each.rows])

    async def _give(self, places: Sequence[Place]) -> None:
        """Give each policy to its holder, at its addresses."""
        admin = self.portal.stack.admin
        await admin.request("DELETE", "/access", {"query": self._theirs})
        for policy, (holder, network) in zip(self.policies, places, strict=True):
            await admin.request("POST", "/access", {"policy": policy, **self.holders[holder]})
            await admin.request("PATCH", f"/policies/{policy}", {"ip_access": None if network is None else [network]})

    @property
    def _theirs(self) -> Mapping[str, object]:
        return {"filter": {"policy": {"_in": list(self.policies)}}, "limit": -1}

    def _row(self, row: Row) -> dict[str, object]:
        number = row[ID]
        customer = self.customers[int(number)] if number is not None and number.isdecimal() else number
        places = {name: self.places[str(row[name])] for name in ("owner", "organization")}
        return {**row, **places, "email": "someone@example.com", ID: customer}


@pytest.fixture
async def world(portal: Portal, newcomer: Newcomer) -> World:
    person, another = await newcomer(also=[[]] * (_POLICIES - 1)), await newcomer()
    parent, grandparent = await newcomer(), await newcomer()
    admin = portal.stack.admin
    access = await admin.request("GET", f"/access?filter[role][_eq]={person.role}")
    await admin.request("PATCH", f"/roles/{parent.role}", {"parent": grandparent.role})
    await admin.request("PATCH", f"/roles/{person.role}", {"parent": parent.role})
    roles = {"role": person, "parent": parent, "grandparent": grandparent, "another's role": another}
    holders: dict[str, Mapping[str, str | None]] = {name: {"role": each.role} for name, each in roles.items()}
    holders |= {"user": {"user": person.id}, "nobody's": {"user": None, "role": None}}
    session = await login(portal.stack.directus.url, person)
    portal.tokens.add(session)
    places: dict[str, str | int] = {
        "me": person.id,
        "another": another.id,
        "mine": await portal.organization(person),
        "another's": await portal.organization(another),
    }
    for name in ("Ada", "Grace", "Alan", "Edith", "Emmy"):
        customer = portal.stripe.add_customer(name=name, email=f"{name}@example.com", phone="+44")
        portal.stripe.add_payments(2, customer=customer["id"])
    portal.stripe.add_payment(customer=None)
    customers = [str(customer["id"]) for customer in portal.stripe.customers]
    assert len(customers) == CUSTOMERS
    return World(portal, person, session, [entry["policy"] for entry in access], places, holders, customers)


async def compare(world: World, each: Arrangement) -> None:
    """Set up one arrangement and compare every answer of the sidecar with the reference."""
    await world.becomes(each)
    portal, customer = world.portal, world.customers[each.number]
    caller = DirectusAdmin(portal.stack.directus.url, world.person.token)
    seeing = await visible_fields(caller, portal.names.customers, ID, unruled(each))
    customers = await whole_list(portal.stripe.url, portal.stripe.key, "/v1/customers")
    payments = await whole_list(portal.stripe.url, portal.stripe.key, "/v1/payment_intents")

    assert await answered(world, "/customers") == visible(seeing, customers, "id")
    assert await answered(world, "/payments") == visible(seeing, payments, "customer")
    assert await answered(world, "/payments?limit=100") == visible(seeing, payments, "customer")
    assert await answered(world, f"/customers/{customer}") == one(seeing, customers, customer, "id")
    assert await answered(world, f"/payments/{customer}") == one(seeing, payments, customer, "customer")


def unruled(each: Arrangement) -> set[str]:
    """Give the fields of the person's permissions to read that have no item rule."""
    counting = [
        fields or ()
        for (fields, item), (holder, network) in zip(each.reading, each.places, strict=False)
        if item is None and holder in _HOLDERS and network != _ELSEWHERE
    ]
    return set().union(*counting)


async def answered(world: World, target: str) -> list[Object] | None:
    """Give a route's objects as a list, the same for both of the person's tokens; None if it refuses."""
    answer = await world.portal.ask(world.person, target)
    assert answer.status in {200, 401}, answer.body
    with_session = await ask(world.portal.url, f"/stripe{target}", world.session)
    assert unmarked(with_session) == unmarked(answer)
    body = answer.json()
    if answer.status == 401:
        return None
    listed: list[Object] = body if isinstance(body, list) else body.get("data", [body])
    return listed


def visible(seeing: VisibleFields | None, objects: Sequence[Object], names: str) -> list[Object] | None:
    """Give the visible part of a list; `names` is the attribute that contains the customer."""
    if seeing is None:
        return None
    found = [(entry, seeing.of(entry[names])) for entry in objects]
    return [seen(entry, fields, ID) for entry, fields in found if fields is not None]


def one(seeing: VisibleFields | None, objects: Sequence[Object], customer: str, names: str) -> list[Object] | None:
    """Give the visible part for one customer's route, which also refuses a caller that may not read the ID field."""
    fields = None if seeing is None else seeing.of(customer)
    if fields is None or not fields & {ID, "*"}:
        return None
    return visible(seeing, [entry for entry in objects if entry[names] == customer], names)


_ADA: Row = {"owner": "another", "organization": "mine", "name": "Ada", "phone": "+1", ID: "0"}


@_asked
@given(st.builds(Arrangement, _same_fields, _writing, _rows, _numbers))
async def test_one_field_list(world: World, each: Arrangement) -> None:
    """R1, R5, R6: for policies of one field list and any item rules the sidecar gives what the reference gives."""
    await compare(world, each)


@_asked
@example(Arrangement([((ID, "name", "email"), OWN), ((ID, "name"), None)], [], [_ADA], 0))
@given(st.builds(Arrangement, _any_fields, st.just([]), _rows, _numbers))
async def test_any_field_lists(world: World, each: Arrangement) -> None:
    """R1, R6: the same for policies that each have fields of their own."""
    await compare(world, each)


@_asked
@example(
    Arrangement(
        [((ID, "id"), OWN), (("name",), None), ((ID, "id", "email"), None)],
        [("update", ("*",), None)],
        [{**_ADA, "owner": "me"}],
        1,
        [("role", None), ("parent", None), ("grandparent", None)],
    )
)
@given(st.builds(Arrangement, _any_fields, _writing, _rows, _numbers, _places))
async def test_any_holders(world: World, each: Arrangement) -> None:
    """O2, R1, R5, R6: the same for policies held through a role, its parents or the user, at some addresses only."""
    await compare(world, each)
