"""The sources of status fields as sidecar/README.md has them."""

from sidecar.core.flows.events import FOLLOWED
from sidecar.core.flows.mirror import Mirror
from sidecar.core.status.sources import SOURCES, Origin

_RIGHTS = {
    Origin.SUBSCRIPTION: "*Subscriptions*",
    Origin.ENTITLEMENTS: "*Entitlements*",
    Origin.PAYMENT_METHOD: "*Subscriptions*, *PaymentMethods*",
}
_HEAD = """\
| what | paths | events for Stripe to send, beside `customer.updated` and `customer.deleted` | the key also reads |
|---|---|---|---|"""


def sources_table() -> str:
    return "\n".join([_HEAD, *map(_row, Origin)])


def _row(origin: Origin) -> str:
    sources = [source for source in SOURCES.values() if source.origin == origin]
    types = sorted(Mirror("id", {}, {"field": sources[0]}).follows - FOLLOWED)
    paths = " ".join(f"`{'.'.join(source.path)}`" for source in sources if source.path)
    return f"| `{origin}` | {paths} | {' '.join(f'`{name}`' for name in types)} | {_RIGHTS[origin]} |"
