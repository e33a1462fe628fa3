"""What went wrong, each with the request that caused it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fuzz.generator import Sent


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` names what did not hold; `sent` is None where no request can be named."""

    rule: str
    what: str
    sent: Sent | None = None

    def told(self) -> Iterator[str]:
        """Give the lines of a report, with the request's bytes."""
        if self.sent is None:
            yield f"{self.rule}: {self.what}"
            return
        people = ", ".join(person.name for person, _ in self.sent.holders) or "nobody"
        yield f"{self.rule}: request {self.sent.number}: {self.what}"
        yield f"  {self.sent.draft.seed} by {people}; mutations: {', '.join(self.sent.told) or 'none'}"
        yield f"  {self.sent.data[:3000]!r}"


@dataclass(slots=True)
class Findings:
    """All findings; of each rule only the first are kept, the others are counted."""

    kept: list[Finding] = field(default_factory=list)
    number: int = 0

    def add(self, rule: str, what: str, sent: Sent | None = None) -> None:
        self.number += 1
        if sum(each.rule == rule for each in self.kept) < 20:
            self.kept.append(Finding(rule, what, sent))
