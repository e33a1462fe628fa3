"""The request being served, for code that writes a log line or a header without having the request at hand."""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_notes: ContextVar[dict[str, object] | None] = ContextVar("notes", default=None)


def begin(identity: str) -> dict[str, object]:
    """Start a request's context and give the mapping that collects its notes."""
    notes: dict[str, object] = {"request_id": identity}
    request_id.set(identity)
    _notes.set(notes)
    return notes


def note(name: str, value: object) -> None:
    """Add to the request's one log line; does nothing outside a request."""
    notes = _notes.get()
    if notes is not None:
        notes[name] = value


def took(upstream: str, seconds: float) -> None:
    """Add to an upstream's time in the request's one log line."""
    notes = _notes.get()
    if notes is not None:
        so_far = notes.get(f"{upstream}_ms", 0.0)
        notes[f"{upstream}_ms"] = round((so_far if isinstance(so_far, float) else 0.0) + seconds * 1000, 1)
