"""The error body that `@directus/sdk` reads."""

import json

from sidecar.core.access.policy import Reason
from sidecar.core.envelope import error_body
from sidecar.errors import DirectusUnavailable, Overloaded, PermissionDenied, SidecarError, StripeTimeout


def test_the_shape_is_directus_own() -> None:
    """One error with its message, and its code among its extensions."""
    error = PermissionDenied("No.", reason=Reason.NO_ACCESS, extensions={"collection": "customers"})

    assert json.loads(json.dumps(error_body(error))) == {
        "errors": [
            {
                "message": "No.",
                "extensions": {"reason": "no_access", "collection": "customers", "code": "FORBIDDEN"},
            }
        ]
    }


def test_details_for_the_log_are_not_in_the_answer() -> None:
    """S3: Neither detail nor cause of an error is in the answer."""
    error = DirectusUnavailable("GET /permissions/me: ClientConnectorError 10.0.0.9:8055")
    error.__cause__ = OSError("10.0.0.9")

    assert "10.0.0.9" not in json.dumps(error_body(error))


def test_the_code_is_the_errors_own() -> None:
    """No extension can replace the code."""
    body = error_body(SidecarError("m", extensions={"code": "OTHER"}))

    assert body["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def test_a_503_says_whose_fault_it_is() -> None:
    """The code of a 503, which several errors share, has the reason beside it; other codes say enough."""
    assert error_body(Overloaded("m"))["errors"][0]["extensions"] == {
        "reason": "capacity",
        "code": "SERVICE_UNAVAILABLE",
    }
    assert error_body(StripeTimeout("m"))["errors"][0]["extensions"] == {"code": "STRIPE_TIMEOUT"}
