"""What the operator reads of a refusal, and at which level."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.clients.stripe.refusal_log import log_refusal, missing_right, readable
from sidecar.core.secret_values import ALL as SECRETS
from tests.doubles.secret_spellings import CLIENT_SECRETS, CODE, KEYS, decoded, spellings

UPDATE, READ = "POST /v1/customers/:id", "GET /v1/customers/:id"
PORTAL = "No configuration provided and your test mode default configuration has not been created."


def logged(
    caplog: pytest.LogCaptureFixture, status: int, *, endpoint: str = UPDATE, **error: object
) -> logging.LogRecord:
    with caplog.at_level(logging.DEBUG):
        log_refusal(endpoint, status, {"error": error}, {"Request-Id": "req_1"})
    [record] = caplog.records
    return record


def test_the_operator_reads_what_stripe_says(caplog: pytest.LogCaptureFixture) -> None:
    """The line has Stripe's type, code, parameter, message, request ID and page, and the endpoint without IDs."""
    page = "https://stripe.com/docs/error-codes/resource-missing"

    record = logged(
        caplog,
        400,
        type="invalid_request_error",
        code="resource_missing",
        param="invoice_settings[default_payment_method]",
        message="No such PaymentMethod: 'pm_1'",
        doc_url=page,
    )

    names = ("status", "type", "code", "param", "stripe_message", "stripe_request_id", "doc_url", "endpoint")
    assert [vars(record)[name] for name in names] == [
        400,
        "invalid_request_error",
        "resource_missing",
        "invoice_settings[default_payment_method]",
        "No such PaymentMethod: 'pm_1'",
        "req_1",
        page,
        UPDATE,
    ]


@pytest.mark.parametrize(
    ("status", "error", "endpoint", "level"),
    [
        (400, {"code": "parameter_missing", "param": "items"}, UPDATE, logging.INFO),
        (402, {"code": "card_declined"}, UPDATE, logging.INFO),
        (404, {"code": "resource_missing"}, UPDATE, logging.INFO),
        (400, {"code": "resource_missing"}, "GET /v1/charges", logging.INFO),
        (404, {"code": "resource_missing"}, READ, logging.DEBUG),
        (400, {"message": "You may only specify one of these parameters: customer, customer_email."}, UPDATE, 20),
        (400, {"message": "something new"}, UPDATE, logging.INFO),
        (400, {"message": PORTAL}, UPDATE, logging.WARNING),
        (400, {"message": PORTAL, "code": "a_code"}, UPDATE, logging.INFO),
        (400, {"code": "parameter_unknown", "param": "x"}, UPDATE, logging.WARNING),
        (400, {"code": "stripe_tax_inactive"}, UPDATE, logging.WARNING),
        (401, {}, UPDATE, logging.ERROR),
        (403, {}, UPDATE, logging.ERROR),
    ],
)
def test_levels(
    caplog: pytest.LogCaptureFixture, status: int, error: dict[str, Any], endpoint: str, level: int
) -> None:
    """What the operator must mend stands out from what a caller may send all day and from a look at what is there."""
    assert logged(caplog, status, endpoint=endpoint, **error).levelno == level


@pytest.mark.parametrize(
    ("endpoint", "message", "right"),
    [
        (
            UPDATE,
            (
                "The provided key 'rk_live_***********qs8Kgd' does not have the required permissions for this endpoint "
                "on account 'acct_1'. Having the 'rak_customer_write' permission would allow this request to continue."
            ),
            "rak_customer_write",
        ),
        (UPDATE, "Having the 'rak_<script>' permission would", "write customers"),
        (READ, None, "read customers"),
        ("POST /v1/billing_portal/sessions", "no", "write billing_portal/sessions"),
        ("POST /v1/payment_intents/:id/cancel", 7, "write payment_intents"),
    ],
)
def test_the_missing_right_is_named(
    caplog: pytest.LogCaptureFixture, endpoint: str, message: object, right: str
) -> None:
    """A 403 names the right that the key lacks, in Stripe's words where it has them, and nothing of the key."""
    record = logged(caplog, 403, endpoint=endpoint, message=message)

    assert (vars(record)["right"], vars(record)["endpoint"]) == (right, endpoint)
    assert "qs8Kgd" not in json.dumps(vars(record), default=str)


@given(
    st.integers(100, 599),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["card_error", "sk_live_x"]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["error", "type", "code", "param", "message", "doc_url"]), inner)
        ),
    ),
)
def test_any_answer_can_be_logged(status: int, body: object) -> None:
    """Whatever an answer contains, writing its line raises nothing."""
    log_refusal(UPDATE, status, body, {"Request-Id": "req 1"})


@pytest.mark.parametrize("body", [None, [], "x", {}, {"error": None}, {"error": "no"}, {"error": {"code": []}}])
def test_a_refusal_without_words(caplog: pytest.LogCaptureFixture, body: object) -> None:
    """An answer that is not in Stripe's form is logged as well, and the right is derived."""
    with caplog.at_level(logging.DEBUG):
        log_refusal(READ, 403, body, {})

    [record] = caplog.records
    assert (vars(record)["right"], vars(record)["stripe_message"]) == ("read customers", None)
    assert missing_right(READ, body) == "read customers"


@pytest.mark.parametrize("code", ["account_invalid", "platform_account_required", "secret_key_required"])
def test_no_right_is_missing(caplog: pytest.LogCaptureFixture, code: str) -> None:
    """Where Stripe's code says that the account or the kind of key is the reason, no right is named."""
    assert vars(logged(caplog, 403, code=code, message="The key has no access to account 'acct_1'."))["right"] is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid API Key provided: sk_test_****1234", "Invalid API Key provided: [left out]"),
        ("Invalid email address: ada@example.com", "Invalid email address: [left out]"),
        ("Use client_secret=pi_1_secret_abc now", "Use [left out]"),
        ("a " * 600, "a " * 250 + "…"),
        ("a" * 501, "a" * 500 + "…"),
        (None, None),
        (["x"], None),
    ],
)
def test_readable(text: object, shown: str | None) -> None:
    """A text is bounded, and a word that may be a secret or names a person is left out."""
    assert readable(text) == shown


@given(st.data(), st.sampled_from([*CLIENT_SECRETS, *KEYS]), st.text(max_size=20), st.integers(0, 1100))
def test_no_secret_is_readable(data: st.DataObject, secret: str, before: str, length: int) -> None:
    """However a secret is spelled and wherever a message is cut, what is logged of it contains no secret."""
    shown = readable(f"{before} {'x ' * (length // 2)}{data.draw(spellings(secret))} after")

    assert shown is not None
    assert not SECRETS.are_in(shown)
    assert CODE not in decoded(shown)


@pytest.mark.parametrize("url", ["https://evil.example/x", "https://stripe.com/a?key=1", "javascript:x", 7, None])
def test_only_stripes_pages(caplog: pytest.LogCaptureFixture, url: object) -> None:
    """An address is logged only where it is a page of Stripe's."""
    assert vars(logged(caplog, 400, doc_url=url))["doc_url"] is None
