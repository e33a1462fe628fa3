"""Reads the file of ``link --csv``: which item gets which customer. Plain functions over lines of text.

It takes what a spreadsheet writes: a comma, semicolon or tab between the columns, any order, other columns beside them.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.item_keys import unusable
from sidecar.core.operations.resources import is_customer_id

_MOST = 200_000  # lines; some 60 MB
_MOST_NAMED = 5  # other lines with the same item or customer
_ITEM = frozenset({"item", "item key", "item id", "key", "primary key"})
_CUSTOMER = frozenset({"customer", "customer id", "stripe customer", "stripe customer id", "stripe id"})


class LinkFault(Exception):
    """The run cannot go on; the text says how to mend that."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One line: `number` as an editor counts it."""

    number: int
    item: str
    customer: str


@dataclass(frozen=True, slots=True)
class LineFault:
    number: int
    text: str


def read(lines: Iterable[str], collection: CustomersCollection) -> tuple[list[Asked], list[LineFault]]:
    """Give what the lines ask for, and what is wrong with lines, of which none is done. Raises LinkFault."""
    rows = _rows(lines)
    number, header = next(rows, (1, []))
    columns = _columns(header, collection, number)
    asked: list[Asked] = []
    faults: list[LineFault] = []
    for number, row in rows:
        if len(asked) + len(faults) == _MOST:
            raise LinkFault(f"the file has more than {_MOST} lines: divide it")
        found = _asked(number, row, columns)
        if isinstance(found, Asked):
            asked.append(found)
        else:
            faults.append(found)
    single, doubles = _without_doubles(asked)
    return single, sorted([*faults, *doubles], key=lambda fault: fault.number)


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Give each row that has a text in it, with the number of its last line. The header's separator counts."""
    given = iter(lines)
    first = next(given, "")
    separator = max(",;\t", key=first.count)

    def all_lines() -> Iterator[str]:
        yield first
        yield from given

    reader = csv.reader(all_lines(), delimiter=separator, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise LinkFault(f"line {reader.line_num} of the file is no CSV: {error}") from None


def _columns(header: Sequence[str], collection: CustomersCollection, number: int) -> tuple[int, int]:
    """Find the columns of item and customer. Raises LinkFault."""
    item = _place(header, number, collection.key_field, _ITEM, "item")
    return item, _place(header, number, collection.id_field, _CUSTOMER, "customer")


def _place(header: Sequence[str], number: int, field: str, known: frozenset[str], word: str) -> int:
    """Find one column: the one that is called as Directus's field, or else the only one with a usual name."""
    names = [cell.lower().replace("_", " ").replace("-", " ") for cell in header]
    exact = [place for place, cell in enumerate(header) if cell == field]
    places = exact or [place for place, name in enumerate(names) if name in known]
    if len(places) != 1:
        raise LinkFault(f"line {number} of the file must name the columns, and one of them {field} or {word}")
    return places[0]


def _asked(number: int, row: Sequence[str], columns: tuple[int, int]) -> Asked | LineFault:
    if len(row) <= max(columns):
        return LineFault(number, "has too few columns")
    item, customer = (row[place] for place in columns)
    if fault := unusable(item):
        return LineFault(number, f"the item's key {fault}")
    if not is_customer_id(customer):
        return LineFault(number, "the customer is no ID of Stripe's, which looks like cus_…")
    return Asked(number, item, customer)


def _without_doubles(asked: Sequence[Asked]) -> tuple[list[Asked], list[LineFault]]:
    """Refuse each line whose item or customer another line has too."""
    items: dict[str, list[Asked]] = {}
    customers: dict[str, list[Asked]] = {}
    for one in asked:
        items.setdefault(one.item, []).append(one)
        customers.setdefault(one.customer, []).append(one)
    single: list[Asked] = []
    faults: list[LineFault] = []
    for one in asked:
        alike = (*items[one.item][: _MOST_NAMED + 1], *customers[one.customer][: _MOST_NAMED + 1])
        others = [other for other in alike if other.number != one.number]
        if not others:
            single.append(one)
        else:
            what = "item" if len(items[one.item]) > 1 else "customer"
            numbers = ", ".join(str(number) for number in sorted({other.number for other in others})[:_MOST_NAMED])
            faults.append(LineFault(one.number, f"its {what} stands in line {numbers} too"))
    return single, faults
