"""The mapping of Stripe's errors to ours (docs.stripe.com/error-handling, docs.stripe.com/api/errors)."""

import json
import re

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.errors import failure
from sidecar.core.envelope import error_body
from sidecar.errors import StripeFailure, StripeKeyRejected, StripeRateLimited, StripeRejected, StripeUnavailable

# Each class of the library that an HTTP answer can become: status and type of the answer, and our error for it.
TABLE: dict[str, tuple[int, str, type[StripeFailure], int]] = {
    "InvalidRequestError": (400, "invalid_request_error", StripeRejected, 400),
    "InvalidRequestError 404": (404, "invalid_request_error", StripeRejected, 404),
    "CardError": (402, "card_error", StripeRejected, 402),
    "IdempotencyError": (400, "idempotency_error", StripeRejected, 409),
    "IdempotencyError 409": (409, "idempotency_error", StripeRejected, 409),
    "AuthenticationError": (401, "invalid_request_error", StripeKeyRejected, 503),
    "PermissionError": (403, "invalid_request_error", StripeKeyRejected, 503),
    "RateLimitError": (429, "rate_limit_error", StripeRateLimited, 429),
    "RateLimitError lock": (429, "invalid_request_error", StripeRateLimited, 429),
    "APIError": (500, "api_error", StripeUnavailable, 502),
    "APIError 503": (503, "api_error", StripeUnavailable, 502),
    "APIError 409": (409, "api_error", StripeRejected, 409),
    "APIError 424": (424, "api_error", StripeRejected, 424),
    "APIError 418": (418, "api_error", StripeUnavailable, 502),
}
# Never made from an answer: failed connections, webhooks, and the base class of two others.
NO_ANSWER = {"StripeError", "APIConnectionError", "SignatureVerificationError", "StripeErrorWithParamCode"}
# Answers of version 2 of the API, which the table of operations does not use.
ONLY_V2 = {
    f"{name}Error"
    for name in (
        "AlreadyCanceled", "BlockedByStripe", "CannotProceed", "CapabilityNotEnabled", "ControlledByAlternateResource",
        "FeatureNotEnabled", "FinancialAccountNotOpen", "FxQuoteNeedsRefresh", "InsufficientFunds",
        "InvalidPaymentMethod", "InvalidPayoutMethod", "InvalidVaultedCredential", "NotCancelable", "QuotaExceeded",
        "RecipientNotNotifiable", "TemporarySessionExpired", "VerificationAttemptFailed", "VerificationExpired",
        "VerificationNotInitiated",
    )
}  # fmt: skip


# Answers of Connect's sign-in at another address; the library loads these classes late, so they may be missing.
ONLY_CONNECT = {
    "OAuthError", "InvalidClientError", "InvalidGrantError", "InvalidScopeError", "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
}  # fmt: skip


def made(status: int, error: object, **headers: str) -> StripeFailure:
    return failure(status, {"error": error}, headers)


@pytest.mark.parametrize(("status", "kind", "expected", "answered"), TABLE.values(), ids=TABLE)
def test_the_table(status: int, kind: str, expected: type[StripeFailure], answered: int) -> None:
    """U2: Every error of Stripe becomes our error that says who has to act."""
    error = made(status, {"type": kind, "code": "resource_missing", "param": "id"}, **{"Request-Id": "req_1"})

    assert type(error) is expected
    assert error.status == answered


def test_every_class_of_the_library_is_in_the_table() -> None:
    """Every error class of the library is in the table, so a class added by a new release fails this test."""
    assert below(stripe.StripeError) - ONLY_CONNECT == {name.split()[0] for name in TABLE} | NO_ANSWER | ONLY_V2


def below(kind: type) -> set[str]:
    return {kind.__name__}.union(*map(below, kind.__subclasses__()))


@pytest.mark.parametrize("name", sorted(ONLY_V2))
def test_errors_of_v2_would_be_the_callers(name: str) -> None:
    """Classes that the library makes only from types of version 2 would become rejections with that type."""
    kind = re.sub("(?<!^)(?=[A-Z])", "_", name.removesuffix("Error")).lower()

    error = made(400, {"type": kind})

    assert type(error) is StripeRejected
    assert error.extensions == {"stripe": {"type": kind}}


def test_the_callers_own_mistake_is_named() -> None:
    """S3: Stripe's code, parameter and request ID are passed on to the caller."""
    error = made(
        402,
        {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "param": "address[line1]"},
        **{"Request-Id": "req_1"},
    )

    assert error.extensions == {
        "stripe": {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "lost_card",
            "param": "address[line1]",
            "request_id": "req_1",
        }
    }
    assert "card_declined" in error.message
    assert '"address[line1]"' in error.message


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 424, 429, 500, 503])
@pytest.mark.parametrize("kind", ["invalid_request_error", "idempotency_error", "api_error"])
def test_no_text_of_stripe_is_relayed(status: int, kind: str) -> None:
    """S3: Neither the answer nor the request's log line has Stripe's message, which can quote a key or a person."""
    hush = "No such customer: hush ada@example.com"
    error = made(
        status,
        {"type": kind, "message": hush, "doc_url": hush, "request_log_url": hush, "code": hush, "param": hush,
         "payment_intent": {"client_secret": hush}, "advice_code": "hush"},
        **{"Request-Id": hush},
    )  # fmt: skip

    assert "hush" not in json.dumps(error_body(error))
    assert "hush" not in str(error.detail)


@pytest.mark.parametrize("secret", ["pi_1_secret_MARKED", "sk_test_MARKED", "payment_intent[client_secret]=MARKED"])
def test_no_secret_is_relayed(secret: str) -> None:
    """O4, S3: a secret is no word of Stripe's vocabulary, although it looks like one."""
    error = made(400, {"type": "invalid_request_error", "code": secret, "param": secret}, **{"Request-Id": secret})

    assert "MARKED" not in json.dumps(error_body(error)) + str(error.detail)


@pytest.mark.parametrize("status", [400, 402, 404, 409, 424])
@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"message": "x"},
        {"error": None},
        {"error": "not_found"},
    ],
)
def test_a_4xx_that_is_not_stripes_is_no_verdict(status: int, body: object) -> None:
    """An answer that is not in Stripe's format is an upstream failure, not the caller's mistake."""
    assert type(failure(status, body, {})) is StripeUnavailable


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("0", 1), ("", 1), ("later", 1)])
def test_a_limit_says_when_to_come_back(told: str, seconds: int) -> None:
    """U2: A 429 always carries a Retry-After of at least one second."""
    assert made(429, {"type": "rate_limit_error"}, **{"Retry-After": told}).retry_after == seconds


@given(
    st.integers(100, 599),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["idempotency_error", "card_error"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["error", "type", "code", "param", "message"]), inner)
        ),
    ),
)
def test_any_answer_becomes_one_of_ours(status: int, body: object) -> None:
    """U2: Any answer becomes an error of our hierarchy that can be written as a response."""
    error = failure(status, body, {})

    assert 400 <= error.status <= 504
    json.dumps(error_body(error))
