"""What `check` makes of the service token's permissions. Plain functions; nothing is asked here."""

from collections.abc import Iterator

from sidecar.commands.lines import Line, Word
from sidecar.commands.rights import needed
from sidecar.core.permissions import Access, Action, Permissions
from sidecar.settings import Settings

BELIEF = "whether Directus believes the addresses we pass on"
TRUST = "its IP_TRUST_PROXY must be on, which in Directus 12 it is not by default"


def right_lines(settings: Settings, permissions: Permissions) -> Iterator[Line]:
    field, where = settings.stripe_customer_id_field, _where(settings)
    update = permissions.grant(settings.stripe_customers_collection, Action.UPDATE)
    if not settings.stripe_write_back:
        yield Line(Word.NOTE, "nothing is written back, as STRIPE_WRITE_BACK is off")
    elif update.fields.allow(field):
        yield Line(Word.OK, f"the service token may fill {where}")
    else:
        yield Line(Word.FAULT, f"the service token may not update {where}: run `provision`")
    more = excess(settings, permissions)
    if more is not None:
        yield Line(Word.NOTE, f"the service token may do more than it needs: {more}; `provision` makes one that cannot")


def excess(settings: Settings, permissions: Permissions) -> str | None:
    """Name one thing that goes beyond what `provision` grants for these settings."""
    if permissions.grant(settings.stripe_customers_collection, Action.UPDATE).access is Access.FULL:
        return f"overwrite {_where(settings)}"
    rights = {
        (right.collection, right.action): right for right in needed(settings, realtime=settings.directus_realtime)
    }
    for granted, grant in sorted(permissions.grants.items()):
        right = rights.get(granted)
        more = grant.fields.names - set(right.fields if right else ())
        if more:
            return f"{granted[1]} {granted[0]} ({', '.join(sorted(more)[:3])})"
        if right and right.item and grant.access is Access.FULL:
            return f"{granted[1]} every item of {granted[0]}"
    return None


def address_line(settings: Settings, as_nobody: object, *, provisioned: bool) -> Line:
    """`as_nobody` is what Directus permits in the name of an address that `provision`'s policy leaves out.

    Where the policy is not known to leave it out, that it shows no effect is no finding.
    """
    if isinstance(as_nobody, dict) and settings.stripe_customers_collection not in as_nobody:
        return Line(Word.OK, "Directus believes the addresses we pass on")
    if not provisioned:
        return Line(Word.NOTE, f"{BELIEF} shows only with `provision`'s service token; {TRUST}")
    return Line(
        Word.FAULT,
        f"Directus does not believe the addresses we pass on: {TRUST}; or, if the service policy was made by hand, "
        "run `provision` for one that shows it",
    )


def _where(settings: Settings) -> str:
    return f"{settings.stripe_customers_collection}.{settings.stripe_customer_id_field}"
