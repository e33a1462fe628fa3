"""Copies of Stripe's answers without any secret: what a caller sees who sees everything but those.

`whole` tells whether nothing was left out, so that the copy is as good for a caller that sees secrets.
"""

from dataclasses import dataclass

import orjson

from sidecar.core.operations.resources import StripeObject
from sidecar.core.pages import Page, listed_in
from sidecar.core.secret_members import without_client_secrets
from sidecar.core.secret_values import ALL
from sidecar.core.views import View, has_client_secrets_only

_PUBLIC = View(everything=True, customer_ids=True)


@dataclass(frozen=True, slots=True)
class PublicPage:
    page: Page
    whole: bool


@dataclass(frozen=True, slots=True)
class PublicObject:
    """`written` is the object as JSON."""

    written: bytes
    whole: bool


def public_page(page: Page) -> PublicPage:
    """Raises ValueError, TypeError, RecursionError and StripeUnavailable for objects that are not as usual."""
    if page.raw is not None and _has_usual_secrets(page) and not ALL.may_be_in(page.raw):
        written = orjson.dumps(page.data)[1:-1] if page.written is None else page.written
        return PublicPage(Page.skimmed(written, page.listed, more=page.more, raw=page.raw), whole=True)
    public = written_publicly(page)
    if public is None:
        public = orjson.dumps([_PUBLIC.project(value) for value in page])[1:-1]
    return PublicPage(Page.skimmed(public, listed_in(b"[" + public + b"]"), more=page.more), whole=False)


def public_object(value: StripeObject) -> PublicObject:
    """Raises TypeError and RecursionError for what is nested too deeply."""
    public = _PUBLIC.project(value)
    return PublicObject(orjson.dumps(public), whole=public == value)


def written_publicly(page: Page) -> bytes | None:
    """Give a page's objects as Stripe wrote them, but without secrets; None where bytes cannot tell."""
    if page.written is None or not _has_usual_secrets(page):
        return None
    public = without_client_secrets(page.written)
    return None if public is None or ALL.may_be_in(public) else public


def _has_usual_secrets(page: Page) -> bool:
    return has_client_secrets_only({entry.object for entry in page.listed})
