"""Who has whole access although Directus calls it partial.

A permission without an item rule gives its fields in every item, and one with a rule gives its fields in that rule's
items. `GET /permissions/me` adds the two up to "partial". So a caller that holds a permission without a rule, through
its role, a parent of that role or a policy of its own, has whole access with that permission's fields, also beside
permissions with rules (Directus's guide "Access control"). `/permissions/me` alone still grants, and bounds the fields.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from sidecar.core.access.identity import Identity
from sidecar.core.access.permissions import NO_GRANT, Access, Action, AllowedFields, Grant, Permissions

Address = IPv4Address | IPv6Address
Range = tuple[Address, Address]
_GUEST = Identity(without_role=True)
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291: IPv4 addresses written as IPv6
_EVERY_IPV4 = (IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255"))  # noqa: S104 - an address to compare with


@dataclass(frozen=True, slots=True)
class Unruled:
    """A permission without an item rule; `policy` is its policy's ID."""

    policy: str
    collection: str
    action: Action
    fields: AllowedFields


@dataclass(frozen=True, slots=True)
class Assignment:
    """Gives a policy to a role, to a user, or with neither to everybody without a role."""

    policy: str
    role: str | None
    user: str | None


@dataclass(frozen=True)  # without slots, for what is computed once
class Policies:
    """The policies that have a permission without an item rule, and who holds them.

    `parents` gives each role's parent. `ranges` has the addresses of those policies that apply at some only.
    """

    unruled: Sequence[Unruled] = ()
    assignments: Sequence[Assignment] = ()
    parents: Mapping[str, str | None] = field(default_factory=dict)
    ranges: Mapping[str, Sequence[Range]] = field(default_factory=dict)

    def may_complete(self, permissions: Permissions) -> bool:
        """Say whether somebody with these permissions could have whole access where they say partial."""
        return not permissions.partial.isdisjoint((each.collection, each.action) for each in self.unruled)

    def complete(self, permissions: Permissions, identity: Identity, address: str | None) -> Permissions:
        """Add to each partial grant the fields that its holder has in every item."""
        held = frozenset(self._held(identity, address))
        grants = dict(permissions.grants)
        for place in permissions.partial:
            own = [
                each.fields for each in self.unruled if each.policy in held and (each.collection, each.action) == place
            ]
            grants[place] = _with_whole(grants[place], own)
        return Permissions(grants)

    def public(self, address: str | None) -> Permissions:
        """Give what a guest at this address may do to every item.

        Directus applies to a request without a credential the policies that are assigned to neither role nor user.
        """
        held = frozenset(self._held(_GUEST, address))
        grants: dict[tuple[str, Action], Grant] = {}
        for each in self.unruled:
            if each.policy in held:
                place = (each.collection, each.action)
                grants[place] = Grant(Access.FULL, grants.get(place, NO_GRANT).fields.joined(each.fields))
        return Permissions(grants)

    def _held(self, identity: Identity, address: str | None) -> Iterator[str]:
        roles = self._with_parents(identity.roles)
        given = [policy for role in roles for policy in self._by_role.get(role, ())]
        given += self._by_user.get(identity.user, ()) if identity.user is not None else ()
        given += self._public if identity.without_role else ()
        return (policy for policy in given if self._applies(policy, address))

    @cached_property
    def _by_role(self) -> Mapping[str, Sequence[str]]:
        return _grouped((given.role, given.policy) for given in self.assignments)

    @cached_property
    def _by_user(self) -> Mapping[str, Sequence[str]]:
        return _grouped((given.user, given.policy) for given in self.assignments)

    @cached_property
    def _public(self) -> Sequence[str]:
        return [given.policy for given in self.assignments if given.role is None and given.user is None]

    def _with_parents(self, roles: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting: list[str | None] = list(roles)
        while waiting:
            role = waiting.pop()
            if role is not None and role not in found:
                found.add(role)
                waiting.append(self.parents.get(role))
        return found

    def _applies(self, policy: str, address: str | None) -> bool:
        if policy not in self.ranges:
            return True
        if address is None:
            return False
        caller = ip_address(address)
        return any(first.version == caller.version and first <= caller <= last for first, last in self.ranges[policy])  # type: ignore[operator]  # of one version


def ranges(networks: Iterable[str]) -> list[Range]:
    """Read a policy's `ip_access`: addresses, networks, and ranges such as 10.0.0.1-10.0.0.9.

    An entry that is none of these contains no address.
    """
    found: list[Range] = []
    for network in networks:
        try:
            found += _ranges(network.strip())
        except ValueError:
            continue
    return found


def _ranges(network: str) -> Iterator[Range]:
    """Give also the IPv4 addresses in an entry of IPv6.

    Where the caller has 10.0.0.1, Directus looks for ::ffff:10.0.0.1 in it (Node's `BlockList`); a range counts only
    if it begins and ends with such addresses.
    """
    if "-" in network:
        first, last = (ip_address(part.strip()) for part in network.split("-"))
    else:
        inside = ip_network(network, strict=False)
        first, last = inside.network_address, inside.broadcast_address
        if isinstance(inside, IPv6Network) and _MAPPED.subnet_of(inside):
            yield _EVERY_IPV4
    yield first, last
    match getattr(first, "ipv4_mapped", None), getattr(last, "ipv4_mapped", None):
        case IPv4Address() as first_mapped, IPv4Address() as last_mapped:
            yield first_mapped, last_mapped


def _grouped(given: Iterable[tuple[str | None, str]]) -> Mapping[str, Sequence[str]]:
    """Give each holder's policies."""
    found: dict[str, list[str]] = {}
    for holder, policy in given:
        if holder is not None:
            found.setdefault(holder, []).append(policy)
    return found


def _with_whole(grant: Grant, fields: Sequence[AllowedFields]) -> Grant:
    return replace(grant, unruled=grant.fields.common(reduce(AllowedFields.joined, fields, AllowedFields())))
