"""Whether the customers collection has the fields that STRIPE_FIELD_MAP names, as far as the service token sees them.

Directus hides the fields that a token may not read, and the service's own reads few. So where it does not see them all,
the fields that policies name are looked at: a name that is in none of them and is like another is likely misspelt.
"""

from collections.abc import Collection, Iterator, Sequence

from sidecar.commands.lines import Line, Word
from sidecar.commands.seen_policies import SeenPolicy
from sidecar.core.access.permissions import Grant
from sidecar.core.operations.rules import suggestion
from sidecar.settings import Settings
from sidecar.settings.types import default_field_map

_MEND = "; make it in Directus, or take it out of the map"


def map_lines(
    settings: Settings, read: Grant, fields: Collection[str], policies: Sequence[SeenPolicy] | None
) -> Iterator[Line]:
    """`fields` are those that the token may read. Of the default map a collection may lack fields."""
    collection, named = settings.stripe_customers_collection, settings.stripe_field_map
    if named == default_field_map() or not fields:
        return
    known = {*fields, *(name for policy in policies or () for name in policy.named)} - {"*"}
    unknown = [name for name in named if name not in known]
    for name in unknown:
        if read.fields.unrestricted:
            yield Line(
                Word.FAULT, f"STRIPE_FIELD_MAP: {collection} has no field {name}{suggestion(name, known) or _MEND}"
            )
        elif similar := suggestion(name, known):
            yield Line(
                Word.FAULT,
                f"STRIPE_FIELD_MAP: no policy names a field {name} of {collection}{similar} Correct it, or, if "
                "it is right, name it in the policy of those who may read it",
            )
        else:
            yield Line(
                Word.NOTE,
                f"STRIPE_FIELD_MAP: whether {collection} has a field {name} cannot be seen with the service token, "
                "and no policy names it: look at its name in Directus",
            )
    if not unknown:
        yield Line(Word.OK, f"{collection} has the fields of STRIPE_FIELD_MAP")
