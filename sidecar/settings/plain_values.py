"""What a value has around it that is no part of it: quotes, spaces, line breaks. The messages never show the value."""

_QUOTES = "\"'`"


def require_bare(value: str) -> None:
    """Raises ValueError. For values that can neither begin nor end with a space or a quote."""
    if not value:
        raise ValueError("is empty")
    if value.endswith(("\r", "\n")):
        raise ValueError("ends with a line break: remove it; a file with line breaks of Windows is to be saved with LF")
    if value != value.strip():
        raise ValueError("begins or ends with a space: remove it")
    if value[:1] in _QUOTES or value[-1:] in _QUOTES:
        raise ValueError(
            "has quotes around it, which are a part of it here, as `docker run --env-file` passes them on: remove them"
        )


def without_quotes(value: str) -> str:
    """Take away one pair of quotes, for values that cannot begin with one, as JSON does not."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] == "'" else value
