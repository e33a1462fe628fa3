"""Values in the form that Stripe reads, in bodies and in queries (docs.stripe.com/api)."""

from collections.abc import Mapping


def flattened(values: Mapping[str, object], within: str = "") -> dict[str, str]:
    """Flatten to names such as `address[line1]` and `preferred_locales[0]`.

    None becomes an empty text, by which Stripe unsets an attribute.
    """
    form: dict[str, str] = {}
    for name, value in values.items():
        key = f"{within}[{name}]" if within else name
        if isinstance(value, Mapping):
            form |= flattened(value, key)
        elif isinstance(value, list | tuple):
            form |= flattened({str(index): entry for index, entry in enumerate(value)}, key)
        else:
            form[key] = _text(value)
    return form


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
