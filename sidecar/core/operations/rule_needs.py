"""Which settings a rule needs beside the operator's file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidecar.core.operations.operator_values import ITEM, place_of
from sidecar.core.operations.row import Kind
from sidecar.core.operations.rules import Rule


@dataclass(frozen=True, slots=True)
class Given:
    """Which settings are there."""

    return_urls: bool
    service_token: bool
    write_back: bool
    secrets: bool


def unmet_needs(rules: Sequence[Rule], given: Given) -> Iterator[str]:
    """Say which rules need what is not there, one line each."""
    for rule in rules:
        yield from (f"[{rule.operation.name}]: {need}" for need in _needs(rule, given))


def _needs(rule: Rule, given: Given) -> Iterator[str]:
    if rule.returns and not given.return_urls:
        yield "needs ALLOWED_RETURN_URLS"
    if rule.operation.for_secret and not given.secrets:
        yield "needs STRIPE_EXPOSE_CLIENT_SECRET=true; its answer is of use for its secret alone"
    if rule.public and not given.service_token:
        yield "public: needs DIRECTUS_SERVICE_TOKEN"
    creates = rule.operation.kind is Kind.CREATE_CUSTOMER
    if creates and not given.write_back and (place := place_of(ITEM, rule.operator.fixed)) is not None:
        yield f"set: {place}: {ITEM} needs STRIPE_WRITE_BACK"
