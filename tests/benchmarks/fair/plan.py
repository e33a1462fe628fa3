"""What visitors of the sidecar do, and what became of it: values that two processes exchange as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    target: str
    token: str
    method: str = "GET"
    body: str | None = None

    def written(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: sidecar.test", f"Authorization: Bearer {self.token}"]
        body = b"" if self.body is None else self.body.encode()
        if self.body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Group:
    """Visitors who do the same, each on a connection of its own and one request after the other.

    Visitor n begins with request n and goes on with the next; `times` is how many each sends, None until the end.
    `leaves_after`: seconds after which it closes its connection without an answer. `reads_every`: seconds between two
    pieces of some kilobytes that it reads. `stalls_after`: bytes after which it reads no more. Nobody waits for the
    end of a group in the `background`.
    """

    name: str
    requests: Sequence[Request]
    connections: int = 1
    times: int | None = None
    leaves_after: float | None = None
    reads_every: float | None = None
    stalls_after: int | None = None
    background: bool = False

    @property
    def reads_slowly(self) -> bool:
        return self.reads_every is not None or self.stalls_after is not None


@dataclass(slots=True)
class Tally:
    """What a group's requests got: `seconds` of each answer, and in `waiting` of those unanswered at the end.

    `statuses` also counts "broken": the connection ended before its answer, and "left": the visitor closed it.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)

    def count(self, status: str) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1

    @property
    def worst(self) -> float:
        """The longest wait in seconds, also where no answer came."""
        return max([*self.seconds, *self.waiting], default=0.0)

    @property
    def sent(self) -> int:
        return sum(self.statuses.values()) + len(self.waiting)

    def only(self, *statuses: int) -> bool:
        """Say whether every request was answered, and with one of these."""
        return not self.waiting and self.sent > 0 and set(self.statuses) <= {str(status) for status in statuses}


def plan(port: int, seconds: float, groups: Sequence[Group]) -> dict[str, Any]:
    return {"port": port, "seconds": seconds, "groups": [asdict(group) for group in groups]}


def groups_of(written: Mapping[str, Any]) -> list[Group]:
    return [
        Group(**{**group, "requests": [Request(**request) for request in group["requests"]]})
        for group in written["groups"]
    ]


def tallies_of(written: Mapping[str, Any]) -> dict[str, Tally]:
    return {name: Tally(**tally) for name, tally in written.items()}
