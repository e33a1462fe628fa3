"""A request that is still being changed, and its bytes."""

from dataclasses import dataclass, field

from tests.fuzz.people import Person

Header = tuple[str, str]


@dataclass(slots=True)
class Draft:
    """Text is written as UTF-8; surrogate escapes stand for single bytes.

    `seed` names the valid request that it began as. `holders` are the people whose tokens it contains, each with the
    token. `signed`: it began as an event with a valid signature. `tail` follows the body. `length` is False where a
    mutation sets the framing itself. `identity` is its X-Request-Id, None where a mutation changed that.
    `raw` tells whether single bytes were changed, so that no header can be trusted to be what it was.
    """

    seed: str
    method: str
    target: str
    headers: list[Header]
    body: bytes | None = None
    holders: list[tuple[Person, str]] = field(default_factory=list)
    signed: bool = False
    version: str = "HTTP/1.1"
    tail: bytes = b""
    length: bool = True
    identity: str | None = None
    raw: bool = False

    def values(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def put(self, name: str, value: str) -> None:
        """Set a header in place of any other of the name."""
        self.headers = [header for header in self.headers if header[0].lower() != name.lower()]
        self.headers.append((name, value))

    def drop(self, name: str) -> None:
        self.headers = [header for header in self.headers if header[0].lower() != name.lower()]

    def written(self) -> bytes:
        lines = [f"{self.method} {self.target} {self.version}", *(f"{name}: {value}" for name, value in self.headers)]
        if self.length and self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return head + (self.body or b"") + self.tail
