"""The file of `link --csv`: a forgiving header, and every faulty line by its number."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.commands.link_file import Asked, LineFault, LinkFault, read
from sidecar.core.access.collection import CustomersCollection

CLIENTS = CustomersCollection("clients", "number", "stripe_customer_id")


def lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


@pytest.mark.parametrize(
    "text",
    [
        "number,stripe_customer_id\n7,cus_a\n",
        "item,customer\r\n7,cus_a\r\n",
        "Customer ID;Item Key\ncus_a;7",
        "name\tSTRIPE-CUSTOMER\tkey\nAda\tcus_a\t7\n",
        ' item , customer\n"7", cus_a \n',
        "id,number,stripe_customer_id\n9,7,cus_a\n",
    ],
)
def test_forms(text: str) -> None:
    """Any order, other columns, a comma, semicolon or tab, and the usual names for both are taken."""
    assert read(lines(text), CLIENTS) == ([Asked(2, "7", "cus_a")], [])


def test_empty_lines_and_breaks_in_cells() -> None:
    """Empty lines are passed over, and a line's number is that of the editor, also behind a cell with a line break."""
    text = 'note,item,customer\n\n"two\nlines",7,cus_a\n,,\n,8,cus_b\n'

    assert read(lines(text), CLIENTS) == ([Asked(4, "7", "cus_a"), Asked(6, "8", "cus_b")], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 of the file must name the columns, and one of them number or item"),
        ("7,cus_a\n8,cus_b\n", "line 1 of the file must name the columns, and one of them number or item"),
        ("item,account\n7,cus_a\n", "one of them stripe_customer_id or customer"),
        ("item,key,customer\n7,8,cus_a\n", "one of them number or item"),
        ('item,customer\n"7,cus_a\n', "is no CSV"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, said: str) -> None:
    """Without a header, with an unknown or a doubled name, or with an open quote nothing is taken from the file."""
    with pytest.raises(LinkFault, match=said):
        read(lines(text), CLIENTS)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("7", "has too few columns"),
        (",cus_a", "the item's key is empty"),
        ("$NOW,cus_a", "the item's key is a word that Directus replaces"),
        ("a/../b,cus_a", 'the item\'s key has "." or ".."'),
        ("7,", "the customer is no ID of Stripe's"),
        ("7,sub_a", "the customer is no ID of Stripe's"),
        ("7,cus_a/../b", "the customer is no ID of Stripe's"),
    ],
)
def test_a_faulty_line(row: str, said: str) -> None:
    """A line that says nothing usable is named, and the others are taken."""
    asked, [fault] = read(lines(f"item,customer\n{row}\n8,cus_b\n"), CLIENTS)

    assert (asked, fault.number) == ([Asked(3, "8", "cus_b")], 2)
    assert fault.text.startswith(said)


def test_doubles() -> None:
    """Of lines with the same item or the same customer none is taken, and each names the others."""
    asked, faults = read(lines("item,customer\n1,cus_a\n1,cus_b\n2,cus_c\n3,cus_c\n4,cus_d\n"), CLIENTS)

    assert asked == [Asked(6, "4", "cus_d")]
    assert faults == [
        LineFault(2, "its item stands in line 3 too"),
        LineFault(3, "its item stands in line 2 too"),
        LineFault(4, "its customer stands in line 5 too"),
        LineFault(5, "its customer stands in line 4 too"),
    ]


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=6), st.sampled_from(",;\t"))
def test_any_cells(rows: list[tuple[str, str]], separator: str) -> None:
    """Whatever stands in the cells, no item or customer is taken twice, and nothing but LinkFault is raised."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows([("item", "customer"), *rows])

    try:
        asked, _ = read(lines(file.getvalue()), CLIENTS)
    except LinkFault:
        return

    assert len({one.item for one in asked}) == len({one.customer for one in asked}) == len(asked)
