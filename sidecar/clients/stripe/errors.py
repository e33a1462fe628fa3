"""One table from Stripe's errors to ours (docs.stripe.com/error-handling, docs.stripe.com/api/errors).

The caller gets Stripe's codes, parameter names and request ID, but not its messages: those can quote what others typed
or part of our key. Where Stripe gives no code, a sentence of ours says what is known of the reason.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

from sidecar.clients.http import retry_after
from sidecar.clients.stripe.known_refusals import known_refusal
from sidecar.clients.stripe.limits import Limit, limit_reached
from sidecar.core.secret_values import ALL as SECRETS
from sidecar.errors import StripeFailure, StripeKeyRejected, StripeRateLimited, StripeRejected, StripeUnavailable

OF_MODE = (
    "it exists in the other mode: "  # begins the log's detail of an object that only a key of the other mode reaches
)
_OTHER_MODE = re.compile(r"; a similar object exists in (live|test) mode, but a (?:live|test) mode key was used")
_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,128}")
_Facts = Mapping[str, object]
# What a proxy in between may say in words of its own, and still mean about our key or our rate.
_WITHOUT_ITS_WORDS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


def failure(status: int, body: object, headers: Mapping[str, str]) -> StripeFailure:
    """Turn any answer of Stripe but a result into the error that the caller gets."""
    error = body.get("error") if isinstance(body, dict) else None
    facts = vocabulary(error if isinstance(error, dict) else {}, headers)
    if facts.get("code") == "idempotency_key_in_use":
        # Whatever the error's type: another request with this key is under way.
        return _rejected(HTTPStatus.CONFLICT, facts, headers)
    if facts.get("type") == "idempotency_error":
        return _same_key_other_body(status, facts, headers)
    if isinstance(error, dict) and "code" not in facts and _BY_STATUS.get(status) is _rejected:
        return _without_code(status, facts, error.get("message"))
    if not isinstance(error, dict) and status in _BY_STATUS and status not in _WITHOUT_ITS_WORDS:
        return _unavailable(status, facts, headers)  # not written by Stripe, but by a proxy in between
    made = _BY_STATUS.get(status, _unavailable)(status, facts, headers)
    if isinstance(error, dict) and (found := _OTHER_MODE.search(str(error.get("message")))) is not None:
        made.detail = f"{OF_MODE}{found[1]}"
    return made


def vocabulary(error: Mapping[str, object], headers: Mapping[str, str]) -> dict[str, object]:
    """Keep what looks like a word of Stripe's vocabulary, and nothing that could be prose or a secret."""
    words = {name: error.get(name) for name in ("type", "code", "decline_code", "param")}
    words["request_id"] = headers.get("Request-Id")
    found = {name: word for name, word in words.items() if isinstance(word, str)}
    return {name: word for name, word in found.items() if _WORD.fullmatch(word) and not SECRETS.are_in(word)}


def _rejected(status: int, facts: _Facts, _headers: Mapping[str, str]) -> StripeFailure:
    what = facts.get("code") or facts.get("type") or "no code given"
    where = f' at "{facts["param"]}"' if "param" in facts else ""
    return StripeRejected(
        f"Stripe does not accept this request: {what}{where}.", status=status, extensions={"stripe": facts}
    )


def _without_code(status: int, facts: _Facts, message: object) -> StripeFailure:
    known = known_refusal(message)
    what = f'"{facts["param"]}" in this request' if "param" in facts else "this request"
    sentence = (
        known.sentence
        if known is not None
        else f"Stripe does not accept {what}, and gives no code that says why. This service's log has the reason."
    )
    told = f" Stripe's request ID: {facts['request_id']}." if "request_id" in facts else ""
    return StripeRejected(sentence + told, status=status, extensions={"stripe": facts})


def _same_key_other_body(_status: int, facts: _Facts, _headers: Mapping[str, str]) -> StripeFailure:
    return StripeRejected(
        "This request was made before with other values. Repeat it with those, or update what it created.",
        status=HTTPStatus.CONFLICT,
        extensions={"stripe": facts},
    )


def _key_rejected(status: int, facts: _Facts, _headers: Mapping[str, str]) -> StripeFailure:
    return StripeKeyRejected(
        "Stripe does not accept this service's key. Tell its operator.",
        extensions={"service": "stripe"},
        detail=f"status {status}, {dict(facts)}",
    )


def _rate_limited(status: int, facts: _Facts, headers: Mapping[str, str]) -> StripeFailure:
    about_object = limit_reached(status, {"error": facts}, headers) is Limit.OBJECT
    return StripeRateLimited(
        f"Stripe {'is busy with this object' if about_object else 'has reached its rate limit'}. "
        "Try again a little later.",
        extensions={"stripe": facts},
        retry_after=retry_after(headers) or 1,
    )


def _unavailable(status: int, facts: _Facts, _headers: Mapping[str, str]) -> StripeFailure:
    failed = StripeUnavailable(
        "Stripe could not give a result. Try again.", extensions={"stripe": facts}, detail=f"status {status}"
    )
    failed.uncertain = True  # docs.stripe.com/error-low-level, "Server errors"
    return failed


_BY_STATUS: Mapping[int, Callable[[int, _Facts, Mapping[str, str]], StripeFailure]] = {
    HTTPStatus.BAD_REQUEST: _rejected,
    HTTPStatus.UNAUTHORIZED: _key_rejected,
    HTTPStatus.PAYMENT_REQUIRED: _rejected,
    HTTPStatus.FORBIDDEN: _key_rejected,
    HTTPStatus.NOT_FOUND: _rejected,
    HTTPStatus.CONFLICT: _rejected,
    HTTPStatus.FAILED_DEPENDENCY: _rejected,
    HTTPStatus.TOO_MANY_REQUESTS: _rate_limited,
}
