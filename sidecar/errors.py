"""Every way a request can fail. Raised anywhere, turned into an answer in one place (``web.server.middlewares``).

    SidecarError
    ├── RequestError            the request itself is wrong; nothing was sent to Stripe
    │   ├── InvalidPayload      400 INVALID_PAYLOAD
    │   ├── InvalidQuery        400 INVALID_QUERY
    │   ├── RouteNotFound       404 ROUTE_NOT_FOUND
    │   ├── OperationOff        404 OPERATION_OFF: a row of the table that the operator has not turned on
    │   ├── MethodNotAllowed    405 METHOD_NOT_ALLOWED
    │   ├── RequestTimeout      408 REQUEST_TIMEOUT
    │   ├── ContentTooLarge     413 CONTENT_TOO_LARGE
    │   ├── UnsupportedMedia    415 UNSUPPORTED_MEDIA_TYPE
    │   ├── ExpectationFailed   417 EXPECTATION_FAILED
    │   ├── TooManyCustomers    422 TOO_MANY_CUSTOMERS
    │   └── HeadTooLarge        431 REQUEST_HEADER_FIELDS_TOO_LARGE
    ├── Refused                 Directus was asked, or need not be, and the answer is no
    │   ├── CredentialMissing   401 NO_CREDENTIALS
    │   ├── CredentialRefused   401 with Directus's own code
    │   ├── PermissionDenied    401 FORBIDDEN, or 403 where DENIED_STATUS says so
    │   │   └── NoCustomerYet   409 NO_CUSTOMER_YET: none of the caller's items names a customer
    │   ├── CrossSite           403 FOREIGN_ORIGIN: a foreign page used a visitor's session
    │   ├── ItemRefused         Directus refused to read or write the caller's item; its status and code
    │   └── ItemConflict        409 CONFLICT
    ├── TooManyRequests         429 REQUESTS_EXCEEDED: too much at once of this caller, with Retry-After
    ├── Overloaded              503 SERVICE_UNAVAILABLE: too much at once, with Retry-After
    ├── DirectusUnavailable     503 SERVICE_UNAVAILABLE: Directus could not be asked
    ├── EventFailed             503 SERVICE_UNAVAILABLE: Stripe has to send its event again
    └── StripeFailure           Stripe was asked and there is no result
        ├── StripeRejected      Stripe's own 4xx for the caller's input, with its code and request ID
        ├── StripeKeyRejected   503 SERVICE_UNAVAILABLE: our key, so an operator's matter
        ├── StripeRateLimited   429 REQUESTS_EXCEEDED, with Retry-After
        ├── StripeUnavailable   502 STRIPE_UNAVAILABLE
        └── StripeTimeout       504 STRIPE_TIMEOUT

The message is for the caller: it names what is wrong and how to mend it, and never contains an upstream's text, an
address or a secret. ``__cause__`` and ``detail`` are for the log.
"""

from collections.abc import Mapping
from http import HTTPStatus


class SidecarError(Exception):
    """`extensions` are sent beside the code; `retry_after` is in seconds; `detail` is for the log only."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "INTERNAL_SERVER_ERROR"

    def __init__(
        self,
        message: str,
        *,
        extensions: Mapping[str, object] | None = None,
        retry_after: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = dict(extensions or {})
        self.retry_after = retry_after
        self.detail = detail


class RequestError(SidecarError):
    status: int = HTTPStatus.BAD_REQUEST
    code = "INVALID_PAYLOAD"


class InvalidPayload(RequestError):
    pass


class InvalidQuery(RequestError):
    code = "INVALID_QUERY"


class RouteNotFound(RequestError):
    status = HTTPStatus.NOT_FOUND
    code = "ROUTE_NOT_FOUND"


class OperationOff(RequestError):
    """Everybody may know this: which operations there are stands in the README, and which are on in openapi.json."""

    status = HTTPStatus.NOT_FOUND
    code = "OPERATION_OFF"

    def __init__(self, operation: str) -> None:
        super().__init__(
            f"The operation {operation} is off here. The operator of this service turns it on with a table "
            f"[{operation}] in the file that STRIPE_OPERATIONS names.",
            extensions={"operation": operation},
        )


class MethodNotAllowed(RequestError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "METHOD_NOT_ALLOWED"


class RequestTimeout(RequestError):
    status = HTTPStatus.REQUEST_TIMEOUT
    code = "REQUEST_TIMEOUT"


class ContentTooLarge(RequestError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "CONTENT_TOO_LARGE"


class UnsupportedMedia(RequestError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "UNSUPPORTED_MEDIA_TYPE"


class ExpectationFailed(RequestError):
    status = HTTPStatus.EXPECTATION_FAILED
    code = "EXPECTATION_FAILED"


class TooManyCustomers(RequestError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "TOO_MANY_CUSTOMERS"


class HeadTooLarge(RequestError):
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "REQUEST_HEADER_FIELDS_TOO_LARGE"


class Refused(SidecarError):
    status: int = HTTPStatus.UNAUTHORIZED
    code = "FORBIDDEN"


class CredentialMissing(Refused):
    code = "NO_CREDENTIALS"


class CredentialRefused(Refused):
    """Directus does not accept the credential; `code` is Directus's own, such as TOKEN_EXPIRED."""

    def __init__(self, code: str) -> None:
        super().__init__("Directus does not accept this credential. Sign in again and repeat the request.")
        self.code = code


class PermissionDenied(Refused):
    """The caller is known and may not do this; `reason` is one of `core.access.policy.Reason`."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        status: int = HTTPStatus.UNAUTHORIZED,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, extensions={"reason": reason, **(extensions or {})})
        self.reason = reason
        self.status = status


class NoCustomerYet(PermissionDenied):
    """What is asked for belongs to customers, and the caller has none; it is no question of permissions, so no 401."""

    status = HTTPStatus.CONFLICT
    code = "NO_CUSTOMER_YET"

    def __init__(self, message: str, *, reason: str, extensions: Mapping[str, object]) -> None:
        super().__init__(message, reason=reason, status=HTTPStatus.CONFLICT, extensions=extensions)


class CrossSite(Refused):
    """`reason` says what is foreign: the origin, or only its scheme."""

    status = HTTPStatus.FORBIDDEN
    code = "FOREIGN_ORIGIN"

    def __init__(self, message: str, *, reason: str, detail: str | None = None) -> None:
        super().__init__(message, extensions={"reason": reason}, detail=detail)


class ItemRefused(Refused):
    """Directus refused the item; `status` and `code` are Directus's own."""

    def __init__(self, message: str, *, status: int, code: str, extensions: Mapping[str, object] | None = None) -> None:
        super().__init__(message, extensions=extensions)
        self.status = status
        self.code = code


class ItemConflict(Refused):
    status = HTTPStatus.CONFLICT
    code = "CONFLICT"


class TooManyRequests(SidecarError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "REQUESTS_EXCEEDED"


class Overloaded(SidecarError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"


class DirectusUnavailable(SidecarError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"

    def __init__(self, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(
            "Directus could not be asked what you may do. Nothing was sent to Stripe; try again.",
            extensions={"service": "directus"},
            retry_after=retry_after,
            detail=detail,
        )


class EventFailed(SidecarError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"


class StripeFailure(SidecarError):
    """`uncertain`: what was asked for may have been done all the same."""

    uncertain = False
    status: int = HTTPStatus.BAD_GATEWAY
    code = "STRIPE_UNAVAILABLE"


class StripeRejected(StripeFailure):
    """A 4xx that the caller's own input caused; `extensions` carry Stripe's code, parameter and request ID."""

    code = "STRIPE_REJECTED"

    def __init__(self, message: str, *, status: int, extensions: Mapping[str, object]) -> None:
        super().__init__(message, extensions=extensions)
        self.status = status

    @property
    def parameter(self) -> object:
        """The name of the parameter that Stripe does not accept, None where it names none."""
        return self._facts.get("param")

    @property
    def missing(self) -> bool:
        """Whether the account has no such object as was named (docs.stripe.com/error-codes, resource_missing)."""
        return self._facts.get("code") == "resource_missing"

    def is_missing(self, *parameters: str | None) -> bool:
        """Say whether it is one of these parameters that names the missing object; None where Stripe names none."""
        return self.missing and self.parameter in parameters

    @property
    def _facts(self) -> Mapping[str, object]:
        facts = self.extensions.get("stripe")
        return facts if isinstance(facts, Mapping) else {}


class StripeKeyRejected(StripeFailure):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "SERVICE_UNAVAILABLE"


class StripeRateLimited(StripeFailure):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "REQUESTS_EXCEEDED"


class StripeUnavailable(StripeFailure):
    pass


class StripeTimeout(StripeFailure):
    status = HTTPStatus.GATEWAY_TIMEOUT
    code = "STRIPE_TIMEOUT"
