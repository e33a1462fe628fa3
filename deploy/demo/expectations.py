"""The table of who may do what in the demo. `people` has the users, their permissions and their customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NOBODY = "nobody signed in"
OWN = "{the member's}"
OTHER = "{another's}"


@dataclass(frozen=True, slots=True)
class Expected:
    """An answer's status, a refusal's code, and the number of objects in a list, None where it varies."""

    status: int
    code: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """`kind` is Stripe's name for the objects in an answer; OWN and OTHER take the place of customer IDs."""

    method: str
    path: str
    kind: str

    def __str__(self) -> str:
        return f"{self.method:4} {self.path}"


_CUSTOMERS = "/stripe/customers"
LIST = Route("GET", _CUSTOMERS, "customer")
ROUTES = (
    Route("GET", "/stripe/payments", "payment_intent"),
    Route("GET", f"/stripe/payments/{OWN}", "payment_intent"),
    Route("GET", f"/stripe/payments/{OTHER}", "payment_intent"),
    LIST,
    Route("GET", f"{_CUSTOMERS}/{OWN}", "customer"),
    Route("POST", _CUSTOMERS, "customer"),
)

_OK, _MADE = Expected(200), Expected(201)
_NO, _WHO = Expected(401, "FORBIDDEN"), Expected(401, "NO_CREDENTIALS")
_ONE, _TWO = Expected(200, count=1), Expected(200, count=2)

# What each replica says of a session: before its logout, and after it was told to one of them.
SIGNED_IN, SIGNED_OUT = _OK, Expected(401, "INVALID_CREDENTIALS")

# One expectation for each of ROUTES.
EXPECTED: Mapping[str, Sequence[Expected]] = {
    "administrator": (_OK, _TWO, _OK, _OK, _OK, _MADE),
    "clerk": (_OK, _TWO, _OK, _OK, _OK, _MADE),
    "reader": (_OK, _TWO, _OK, _OK, _OK, _NO),
    "member": (_TWO, _TWO, _NO, _ONE, _OK, _NO),
    "guest": (_NO, _NO, _NO, _NO, _NO, _NO),
    NOBODY: (_WHO, _WHO, _WHO, _WHO, _WHO, _WHO),
}
