"""What is known of the request being served, for whoever writes a log line or a header while it is."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_notes: ContextVar[dict[str, object] | None] = ContextVar("notes", default=None)


def begin(identity: str) -> dict[str, object]:
    """Start a request's context; what is noted later stands in the mapping that is returned."""
    notes: dict[str, object] = {"request_id": identity}
    request_id.set(identity)
    _notes.set(notes)
    return notes


def note(name: str, value: object) -> None:
    """Add to the request's one log line; nothing happens outside a request."""
    notes = _notes.get()
    if notes is not None:
        notes[name] = value


def took(upstream: str, seconds: float) -> None:
    """Add to the time that the request's one log line says an upstream took."""
    notes = _notes.get()
    if notes is not None:
        so_far = notes.get(f"{upstream}_ms", 0.0)
        notes[f"{upstream}_ms"] = round((so_far if isinstance(so_far, float) else 0.0) + seconds * 1000, 1)
