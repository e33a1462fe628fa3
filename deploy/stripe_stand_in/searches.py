"""Searches, by docs.stripe.com/search: a query of clauses that are all to match, and pages by an opaque token.

What was created or changed lately is not found yet, as Stripe warns. Stripe knows more operators than are read here.
"""

import re
from collections.abc import Sequence
from typing import Any

from deploy.stripe_stand_in.errors import Object, StripeError

LATE = 60  # seconds until a new object is found; at Stripe it may take longer
_MOST = 100
_CLAUSE = re.compile(r"""(-?)([a-z_.]+)(?:\["([^"]+)"\])?(:|>=|<=|>|<)(?:"([^"]*)"|'([^']*)'|([0-9]+))""")
_FIELDS = {
    "customer": "created email metadata name phone",
    "payment_intent": "amount created currency customer metadata status",
    "charge": "amount created currency customer disputed metadata refunded status",
    "invoice": "created currency customer metadata number receipt_number status subscription total",
    "subscription": "canceled_at created metadata status",
}
_TOKEN = "page_"  # noqa: S105 - how the tokens of pages begin


def found(name: str, objects: Sequence[Object], query: Object, url: str, now: int) -> Object:
    """Give one page of what a query finds, newest first. Raises StripeError."""
    clauses = [_clause(name, text) for text in re.split(r"\s+AND\s+", query["query"].strip())]
    known = [each for each in objects if not each.get("deleted") and each["created"] <= now - LATE]
    matching = [each for each in known if all(_matches(each, clause) for clause in clauses)]
    limit, start = query.get("limit", 10), _start(query.get("page"))
    if not 1 <= limit <= _MOST:
        raise StripeError(400, "Invalid integer", code="parameter_invalid_integer", param="limit")
    end = start + limit
    following = f"{_TOKEN}{end}" if end < len(matching) else None
    data, more = matching[start:end], following is not None
    return {"object": "search_result", "url": url, "has_more": more, "data": data, "next_page": following}


def _clause(name: str, text: str) -> re.Match[str]:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise StripeError(400, "We were unable to parse your search query.", param="query")
    if match[2] not in _FIELDS[name].split():
        raise StripeError(400, f"Field `{match[2]}` is an unsupported search field for resource `{name}s`.")
    return match


def _matches(entry: Object, clause: re.Match[str]) -> bool:
    value: Any = entry.get(clause[2])
    value = (value or {}).get(clause[3]) if clause[3] else value
    wanted = next(each for each in clause.group(5, 6, 7) if each is not None)
    return (clause[1] == "") is _compares(value, clause[4], wanted)


def _compares(value: Any, operator: str, wanted: str) -> bool:  # noqa: ANN401 - an attribute of any kind
    if operator == ":":
        return str(value).lower() == wanted.lower()
    if not isinstance(value, int):
        return False
    least, equal = operator[0] == ">", operator.endswith("=") and value == int(wanted)
    return equal or (value > int(wanted) if least else value < int(wanted))


def _start(page: str | None) -> int:
    if page is None:
        return 0
    number = page.removeprefix(_TOKEN)
    if not (page.startswith(_TOKEN) and number.isdecimal()):
        raise StripeError(400, "Invalid page token.", param="page")
    return int(number)
