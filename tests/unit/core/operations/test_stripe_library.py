"""Every row of the table against Stripe's own library: its services make the same calls, and take the same types."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import stripe

from deploy.stripe_stand_in.parameters import decoded, read
from sidecar.core.operations.form import flattened
from sidecar.core.operations.row import Operation
from sidecar.core.operations.table import OPERATIONS
from tests.doubles.samples import samples
from tests.unit.core.operations.test_stripe_description import library, path, rows

# A service's method names its call as `"post", "/v1/quotes/{quote}/accept".format(…)`.
_CALL = re.compile(r'"(get|post|delete)",\s*"(/v1/[^"]+)"')
_ID = re.compile(r"\{[^}]*\}")


@cache
def calls() -> frozenset[tuple[str, str]]:
    """Give the method and path of every call that the library's services make."""
    services = [file.read_text() for file in Path(str(stripe.__file__)).parent.rglob("_*_service.py")]
    found = [call for service in services for call in _CALL.findall(service)]
    return frozenset((method.upper(), _ID.sub("{}", where)) for method, where in found)


@rows(OPERATIONS)
def test_call_is_in_the_library(row: Operation) -> None:
    """The library has a call with the method and path of each row."""
    assert (row.method, _ID.sub("{}", path(row))) in calls()


@rows(OPERATIONS)
def test_values_have_the_librarys_types(row: Operation) -> None:
    """A valid value of each parameter, at any depth, is of a type that the library's call takes."""
    values = samples([each for each in row.taken if not each.ours])

    understood = read(library(row), decoded(urlencode(flattened(values))))

    assert understood.keys() == values.keys()
