"""The table of results, as it is printed and as deploy/README.md has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.matrix.cells import CELLS

_BEGIN, _END = "<!-- matrix -->\n", "\n\n"
_HEADINGS = ("cell", "what it is", "ran", "result", "seconds", "date")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cell ended. `result` is in words; `date` is as in ISO 8601."""

    cell: str
    ran: tuple[str, ...]
    result: str
    seconds: int
    date: str
    passed: bool

    @property
    def row(self) -> tuple[str, ...]:
        return (
            self.cell,
            CELLS[self.cell].what,
            ", ".join(dict.fromkeys(self.ran)),
            self.result,
            str(self.seconds),
            self.date,
        )


def printed(outcomes: Iterable[Outcome]) -> str:
    lines = [_HEADINGS, *(outcome.row for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("   ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def updated(document: str, outcomes: Iterable[Outcome]) -> str:
    """Put the outcomes into the document's table; cells that did not run now keep their rows."""
    before, _, rest = document.partition(_BEGIN)
    table, _, after = rest.partition(_END)
    rows = rows_of(table) | {outcome.cell: outcome.row for outcome in outcomes}
    return f"{before}{_BEGIN}{_markdown(rows)}{_END}{after}"


def rows_of(table: str) -> dict[str, tuple[str, ...]]:
    """Read the rows of a Markdown table by their first cell, without its head."""
    lines = [tuple(word.strip() for word in line.strip("|").split("|")) for line in table.splitlines()[2:]]
    return {line[0].strip("`"): (line[0].strip("`"), *line[1:]) for line in lines}


def _markdown(rows: Mapping[str, tuple[str, ...]]) -> str:
    known = [rows[name] for name in CELLS if name in rows]
    lines = [_HEADINGS, tuple("---" for _ in _HEADINGS), *((f"`{first}`", *rest) for first, *rest in known)]
    head, rule, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, rule.replace(" ", ""), *body])
