"""The request being served, for code that writes a log line, sends a header or takes a turn and has it not at hand."""

from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import Context, ContextVar, copy_context
from typing import Protocol

from sidecar.party import Party


class Place(Protocol):
    """A request's place among those that are worked on."""

    def lent(self) -> AbstractAsyncContextManager[None]:
        """Let others have it while the block waits."""


request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
caller: ContextVar[str] = ContextVar("caller", default="")  # in whose name calls are made; "" is the service itself
party: ContextVar[Party | None] = ContextVar("party", default=None)  # those who share the calls that are made
place: ContextVar[Place | None] = ContextVar("place", default=None)
_notes: ContextVar[dict[str, object] | None] = ContextVar("notes", default=None)


def begin(identity: str) -> dict[str, object]:
    """Start a request's context and give the mapping that collects its notes."""
    notes: dict[str, object] = {"request_id": identity}
    request_id.set(identity)
    _notes.set(notes)
    return notes


def shared_by(callers: Party) -> Context:
    """Copy the context for a task that works in the name of all these callers, and has no request's place."""
    own = copy_context()
    own.run(party.set, callers)
    own.run(place.set, None)
    return own


def resting() -> AbstractAsyncContextManager[None]:
    """Lend the request's place, if it has one, while the block waits for what another request fetches."""
    own = place.get()
    return nullcontext() if own is None else own.lent()


def note(name: str, value: object) -> None:
    """Add to the request's one log line; does nothing outside a request."""
    notes = _notes.get()
    if notes is not None:
        notes[name] = value


def note_user(user: str | None) -> None:
    """Add the ID of the caller's user in Directus, if it is known, to the request's one log line."""
    if user is not None:
        note("user", user)


def took(upstream: str, seconds: float) -> None:
    """Add to an upstream's time in the request's one log line."""
    notes = _notes.get()
    if notes is not None:
        so_far = notes.get(f"{upstream}_ms", 0.0)
        notes[f"{upstream}_ms"] = round((so_far if isinstance(so_far, float) else 0.0) + seconds * 1000, 1)
