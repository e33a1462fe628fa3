"""Names of collections and fields as Directus serves them. Only a name that cannot work is refused.

What cannot work was tried with Directus 11.17: it serves no collection whose name has a space, a dot or one of `/?`,
and in its lists of fields, filters and sorting some characters are syntax (its API reference, "Query parameters").
"""

from sidecar.core.plain_text import has_unseen, is_replaced

_LONGEST = 128  # characters; databases allow 63 to 128
_IN_FIELDS = ",.():?"


def collection_name(value: str) -> str:
    _require_visible(value)
    if found := _first(value, " ./?"):
        raise ValueError(f"must be a collection that Directus serves, and it serves none with {found} in its name")
    if is_replaced(value):
        raise ValueError("must be a name that Directus does not replace in filters, as it does null or $NOW")
    return value


def field_name(value: str) -> str:
    """Accept a name that can stand in a list of fields."""
    _require_visible(value)
    if value != value.strip() or value == "*":
        raise ValueError("must be the name of one field, without spaces around it")
    if "." in value:
        raise ValueError(
            "must be a field of the collection itself; a dot names a field of a related collection. Make a field of "
            "its own here, or name the related collection in place of this one"
        )
    if found := _first(value, _IN_FIELDS):
        raise ValueError(f"must be a name without {found}, which is syntax in Directus's lists of fields")
    return value


def own_field_name(value: str) -> str:
    """Accept a name that can also stand in a filter and in sorting, as the primary key and the ID field do."""
    field_name(value)
    if value[0] in "_-":
        raise ValueError(f"must not begin with {value[0]}: Directus can neither filter nor sort by such a field")
    return value


def _require_visible(value: str) -> None:
    if not value.strip() or len(value) > _LONGEST or has_unseen(value):
        raise ValueError(f"must be a name of 1 to {_LONGEST} visible characters")


def _first(value: str, refused: str) -> str | None:
    """Name the first refused character in a message."""
    found = next((letter for letter in value if letter in refused), None)
    return "a space" if found == " " else found
