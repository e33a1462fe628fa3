"""The text that the demo prints for the person who started it."""

import shlex
import textwrap
from collections.abc import Sequence
from itertools import pairwise

from deploy.demo.expectations import OWN, ROUTES, Expected
from deploy.demo.matrix import BY_SESSION, BY_STATIC, Row
from deploy.demo.stack import Stack, page_url

_CREDENTIALS = (BY_SESSION, BY_STATIC)
_ONE_CUSTOMER = next(route for route in ROUTES if route.path.endswith(f"customers/{OWN}"))
_ROOM = 100
_JSON = "-H 'Content-Type: application/json'"


def table(rows: Sequence[Row], columns: Sequence[str] = _CREDENTIALS) -> str:
    """Give a line for each caller and route, grouped by caller; the number of objects is in brackets."""
    headings = ("who", "asks", "expected", *columns)
    lines = [
        (row.who, str(row.route), _expected(row.expected), *(_cell(row, column) for column in columns)) for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    printed = [_line(headings, widths)]
    for previous, line in pairwise([headings, *lines]):
        if line[0] != previous[0]:
            printed.append("")
        printed.append(_line(line, widths))
    return "\n".join(printed)


def _line(words: Sequence[str], widths: Sequence[int]) -> str:
    return "   ".join(word.ljust(width) for word, width in zip(words, widths, strict=True)).rstrip()


def _expected(expected: Expected) -> str:
    return _words(expected.status, expected.code, expected.count)


def _cell(row: Row, column: str) -> str:
    answer = row.answers.get(column)
    if answer is None:
        return ""
    words = _words(answer.status, answer.code, len(answer.body) if isinstance(answer.body, list) else None)
    fault = row.fault(column)
    return f"✗ {words}: {fault}" if fault else f"✓ {words}"


def _words(status: int, code: str, count: int | None) -> str:
    return " ".join(str(word) for word in (status, code, "" if count is None else f"({count})") if word)


def views(rows: Sequence[Row]) -> str:
    """Show how many fields of one customer each caller sees, for the callers who see the customer."""
    seen = {row.who: row.answers[BY_SESSION].body for row in rows if row.route == _ONE_CUSTOMER}
    lines = [
        (who, str(len(customer)), textwrap.shorten(", ".join(sorted(customer)), _ROOM, placeholder=" …"))
        for who, customer in seen.items()
        if isinstance(customer, dict) and "errors" not in customer
    ]
    headings = ("who", "sees", f"of {_ONE_CUSTOMER.path}")
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    return "\n".join([_line(headings, widths), "", *(_line(line, widths) for line in lines)])


def faults(rows: Sequence[Row]) -> int:
    return sum(bool(row.fault(column)) for row in rows for column in row.answers)


def verdict(rows: Sequence[Row]) -> str:
    """Sum up all answers in one sentence."""
    wrong, asked = faults(rows), sum(len(row.answers) for row in rows)
    return f"{wrong} of {asked} answers NOT as expected" if wrong else f"All {asked} answers as expected"


def invitation(stack: Stack, shop_url: str) -> str:
    """Give addresses, logins and commands, ready to be pasted."""
    stripe = stack.stripe_url + (" (an emulator)" if stack.stripe_log else "")
    signing_in = "one click signs in as each person" if stack.stripe_log else "sign in with a login below"
    logins = [("who", "login", "password", "static token")]
    logins += [(person.name, person.email, person.password, person.token) for person in stack.people.values()]
    widths = [max(map(len, column)) for column in zip(*logins, strict=True)]
    return "\n".join(
        [
            "",
            "Everything runs; Ctrl-C ends it.",
            "",
            f"  page      {page_url(stack.proxy.url)}  ({signing_in})",
            f"  shop      {shop_url}  (sign up, pay with a test card, read, cancel)",
            f"  Directus  {stack.proxy.url}/admin  (a changed policy takes effect within 30 seconds)",
            f"  sidecar   {stack.proxy.url}/stripe/…",
            *_replicas(stack),
            f"  Stripe    {stripe}",
            f"  logs      {stack.state}",
            "",
            *(f"  {_line(login, widths)}" for login in logins),
            "",
            "With a static token:",
            "",
            *(f"  {command}" for command in _with_token(stack)),
            "",
            "With a session, as a browser:",
            "",
            *(f"  {command}" for command in _with_session(stack)),
        ]
    )


def _replicas(stack: Stack) -> list[str]:
    if "REDIS" not in stack.settings:
        return []
    lines = [f"  replica   {replica.url}  (its metrics: /metrics)" for replica in stack.replicas]
    return [*lines, f"  Redis     {stack.settings['REDIS']}"]


def _with_token(stack: Stack) -> list[str]:
    clerk = f"-H 'Authorization: Bearer {stack.people['clerk'].token}'"
    body = """-d '{"email":"edith@example.com","name":"Edith Clarke"}'"""
    return [
        f"curl {clerk} {stack.proxy.url}/stripe/payments/{next(iter(stack.customers.values()))}",
        f"curl {clerk} {_JSON} {body} {stack.proxy.url}/stripe/customers",
    ]


def _with_session(stack: Stack) -> list[str]:
    reader = stack.people["reader"]
    body = f"""-d '{{"email":"{reader.email}","password":"{reader.password}","mode":"session"}}'"""
    jar = shlex.quote(str(stack.state / "cookies.txt"))
    return [
        f"curl -c {jar} {_JSON} {body} {stack.proxy.url}/auth/login",
        f"curl -b {jar} {stack.proxy.url}/stripe/customers",
    ]
