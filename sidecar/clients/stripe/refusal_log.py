"""What the operator's log gets of a refusal of Stripe's: its words, with whatever could be a secret left out.

WARNING is what only the operator can mend. A caller's own mistake is INFO, since it may come all day. An object that is
read and not there is DEBUG: that is how ownership is checked, where the lines would say more than the answers do.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from sidecar.clients.stripe.errors import vocabulary
from sidecar.clients.stripe.known_refusals import MOST_READ, known_refusal
from sidecar.context import request_id
from sidecar.core.secret_values import ALL as SECRETS

_log = logging.getLogger(__name__)
_LONGEST = 500  # characters of a text of Stripe's
_LEFT_OUT = "[left out]"
_WORD = re.compile(r"\s*\S+")
_KEY_OR_ADDRESS = re.compile(r"[a-z]{1,4}k_(?:org_)?(?:live|test)_|@", re.IGNORECASE)  # Stripe shows the ends of a key
_PAGE = re.compile(r"https://(?:[a-z]+\.)?stripe\.com/[\w./#-]{0,200}")
_RIGHT = re.compile(r"'(rak_[a-z0-9_]{1,80})'")
# Codes about the account, its key, or what this service itself sends (docs.stripe.com/error-codes).
_OPERATORS = frozenset(
    {
        *("account_invalid", "livemode_mismatch", "parameter_unknown", "payment_method_unactivated"),
        *("platform_account_required", "secret_key_required", "stripe_tax_inactive", "testmode_charges_only"),
    }
)


def log_refusal(
    endpoint: str, status: int, body: object, headers: Mapping[str, str], detail: str | None = None
) -> None:
    """Write the line about a call that Stripe refused; `endpoint` has no IDs, `detail` is the failure's own."""
    error = _error(body)
    words = vocabulary(error, headers)
    facts = {name: words.get(name) for name in ("type", "code", "decline_code", "param")}
    prose = {"stripe_message": readable(error.get("message")), "doc_url": _page(error.get("doc_url"))}
    about = {"endpoint": endpoint, "status": status, "request_id": request_id.get()}
    told = {**about, **facts, **prose, "stripe_request_id": words.get("request_id")}
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        right = missing_right(endpoint, body) if status == HTTPStatus.FORBIDDEN else None
        _log.error("Stripe does not accept our key for this call", extra={**told, "right": right, "detail": detail})
    else:
        _log.log(_level(endpoint, status, words.get("code"), error.get("message")), "Stripe refused a call", extra=told)


def missing_right(endpoint: str, body: object) -> str | None:
    """Name the right that a restricted key lacks: in Stripe's words, or else by what was asked for.

    None where Stripe's code says that the account or the kind of key is the reason.
    """
    error = _error(body)
    named = _RIGHT.search(str(error.get("message"))[:MOST_READ])
    if named is not None:
        return named[1]
    if str(error.get("code")) in _OPERATORS:
        return None
    method, _, path = endpoint.partition(" ")
    return f"{'read' if method == 'GET' else 'write'} {path.removeprefix('/v1/').partition('/:id')[0]}"


def readable(text: object) -> str | None:
    """Give a text of bounded length up to its first secret, without words with a key's rest or a mail address."""
    if not isinstance(text, str):
        return None
    clean = "".join(_clean_words(text if len(text) <= MOST_READ else text[:MOST_READ].rpartition(" ")[0]))
    if SECRETS.are_in(clean):
        return _LEFT_OUT
    return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}…"


def _clean_words(text: str) -> Iterator[str]:
    """Give words with the spaces before them; after a secret nothing, since its value may be the next word."""
    for word in _WORD.findall(text):
        if SECRETS.are_in(word):
            yield f" {_LEFT_OUT}"
            return
        yield word if _KEY_OR_ADDRESS.search(word) is None else f" {_LEFT_OUT}"


def _level(endpoint: str, status: int, code: object, message: object) -> int:
    if status == HTTPStatus.NOT_FOUND and endpoint.startswith("GET "):
        return logging.DEBUG
    known = known_refusal(message) if code is None else None
    operators = known.operators if known is not None else code in _OPERATORS
    return logging.WARNING if operators else logging.INFO


def _error(body: object) -> Mapping[str, object]:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _page(url: object) -> str | None:
    return url if isinstance(url, str) and _PAGE.fullmatch(url) else None
