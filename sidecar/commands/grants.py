"""The policies that `provision` makes: exactly the rights that are needed; others in them are named or taken away."""

from collections.abc import Generator, Iterator, Sequence

from sidecar.commands.administrator import Administration, AdministratorFault, Row
from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import Right
from sidecar.core.access.known_addresses import EVERY_ADDRESS


def provide_policy(
    admin: Administration, name: str, description: str, rights: Sequence[Right]
) -> Generator[Line, None, str]:
    """Create or mend the policy of this name, which applies at every address; the generator returns its ID."""
    rules = [_rule(right) for right in rights]
    found = admin.rows("policies", {"name": {"_eq": name}})
    if len(found) > 1:
        raise AdministratorFault(f'There are {len(found)} policies called "{name}"; rename all but one.')
    if not found:
        policy = str(admin.create("policies", _new_policy(name, description, rules))["id"])
        granted = ", ".join(_name(rule) for rule in rules)
        yield Line(Word.CREATED, f'policy "{name}", with permission to {granted}')
        return policy
    policy = str(found[0]["id"])
    yield _mended_policy(admin, found[0], name)
    yield from _provide_permissions(admin, policy, rules)
    return policy


def _new_policy(name: str, description: str, rules: list[Row]) -> Row:
    return {
        "name": name,
        "icon": "credit_card",
        "description": description,
        "ip_access": list(EVERY_ADDRESS),
        "admin_access": False,
        "app_access": False,
        "permissions": rules,
    }


def _rule(right: Right) -> Row:
    return {
        "collection": right.collection,
        "action": right.action,
        "fields": list(right.fields),
        "permissions": right.item,
        "validation": right.validation,
        "presets": None,
    }


def _mended_policy(admin: Administration, policy: Row, name: str) -> Line:
    """Take away access that is not needed. An `ip_access` that the operator chose stays."""
    values: Row = {access: False for access in ("admin_access", "app_access") if policy.get(access) is not False}
    if not policy.get("ip_access"):
        values["ip_access"] = list(EVERY_ADDRESS)
    if not values:
        return Line(Word.UNCHANGED, f'policy "{name}"')
    admin.change(f"policies/{policy['id']}", values)
    return Line(Word.CHANGED, f'policy "{name}": {", ".join(values)}')


def _provide_permissions(admin: Administration, policy: str, rules: list[Row]) -> Iterator[Line]:
    there = admin.rows("permissions", {"policy": {"_eq": policy}})
    for rule in rules:
        what = f"permission to {_name(rule)}"
        same = [row for row in there if _name(row) == _name(rule)]
        if not same:
            admin.create("permissions", {"policy": policy, **rule})
            yield Line(Word.CREATED, what)
            continue
        there.remove(same[0])
        if _alike(same[0], rule):
            yield Line(Word.UNCHANGED, what)
        else:
            admin.change(f"permissions/{same[0]['id']}", rule)
            yield Line(Word.CHANGED, what)
    for row in there:
        yield Line(Word.FAULT, f"the policy also permits to {_name(row)}, which is not needed: remove that in Directus")


def _name(rule: Row) -> str:
    return f"{rule['action']} {rule['collection']}"


def _alike(there: Row, rule: Row) -> bool:
    """The order of fields has no meaning, and null means the same as an empty rule."""
    same_fields = sorted(there.get("fields") or []) == sorted(rule["fields"])
    rest = ("permissions", "validation", "presets")
    return same_fields and all((there.get(name) or None) == (rule[name] or None) for name in rest)
