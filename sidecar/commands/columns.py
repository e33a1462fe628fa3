"""What the column of a field is like, as Directus describes it: `provision` mends it, and `check` judges it.

`check` runs in the serving image, so nothing here may import what only `provision` needs.
"""

from collections.abc import Iterator, Mapping

from sidecar.core.status.field_values import FITTING
from sidecar.core.status.sources import Source

EMPTY_TEXT = (
    "{where} cannot be null and is an empty text where there is no customer, so the database does not keep two items "
    "from having the same one: make it nullable in Directus and run `provision` to have that too"
)


def points_elsewhere(field: Mapping[str, object]) -> bool:
    """Say whether a field is a relation or an alias, which have no column for a text."""
    schema, meta = field.get("schema"), field.get("meta")
    special = meta.get("special") if isinstance(meta, dict) else None
    related = isinstance(schema, dict) and schema.get("foreign_key_table") is not None
    return related or field.get("type") == "alias" or "m2o" in (special or ())


def empty_is_text(schema: Mapping[str, object]) -> bool:
    """Say whether a column has an empty text where there is no ID. Several items have that, so it is not unique."""
    return schema.get("is_nullable") is False and schema.get("default_value") == ""


def has_default(schema: Mapping[str, object]) -> bool:
    """Say whether each new item gets a value that is no ID, which a unique column takes only once."""
    return schema.get("default_value") is not None and not empty_is_text(schema)


def unfit(field: Mapping[str, object], source: Source) -> Iterator[str]:
    """Say why a field cannot repeat this source, to be read after the field's name."""
    types, schema = FITTING[source.type], field.get("schema")
    if points_elsewhere(field) or field.get("type") not in types:
        yield f"cannot hold {source.name}: it must be one of {', '.join(types)}; name another field in STRIPE_FIELD_MAP"
    elif isinstance(schema, dict) and has_default(schema):
        yield f"has a default, which each new item gets without {source.name}: run `provision`, or take it away"
