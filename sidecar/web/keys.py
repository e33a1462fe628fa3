"""The keys of what handlers find in the application and in a request, one for each resource."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from sidecar.core.access.credentials import Credential
from sidecar.core.flows.events import Webhooks
from sidecar.core.flows.write_back import WriteBack
from sidecar.core.interfaces import Choice, Lists, RecentStripe, Rows, Stripe, StripeReads, UnknownCustomers
from sidecar.metrics import Metrics
from sidecar.outcome import Outcome
from sidecar.tracing import Tracer
from sidecar.web.admission.gate import Gate
from sidecar.web.admission.logged_clients import LoggedClients
from sidecar.web.admission.origins import Origins
from sidecar.web.admission.places import Places
from sidecar.web.admission.unknown_customers import UnknownCustomerLog
from sidecar.web.admission.unverified_bodies import UnverifiedBodies
from sidecar.web.health import Health

GATE = web.AppKey("GATE", Gate)
ROWS: web.AppKey[Rows] = web.AppKey("ROWS", Rows)
ROWS_OF_ITEM: web.AppKey[Callable[[str], Rows]] = web.AppKey("ROWS_OF_ITEM")
STRIPE: web.AppKey[Stripe] = web.AppKey("STRIPE", Stripe)
RECENT: web.AppKey[Callable[[bool], RecentStripe]] = web.AppKey("RECENT")  # by whether the request may show secrets
LISTS: web.AppKey[Callable[[StripeReads], Lists]] = web.AppKey("LISTS")
SCOPED: web.AppKey[Callable[[StripeReads, Choice, UnknownCustomers], Lists]] = web.AppKey("SCOPED")
UNKNOWN_CUSTOMERS = web.AppKey("UNKNOWN_CUSTOMERS", UnknownCustomerLog)
PLACES = web.AppKey("PLACES", Places)
WRITE_BACK: web.AppKey[WriteBack | None] = web.AppKey("WRITE_BACK", WriteBack)
EXPOSE_SECRETS = web.AppKey("EXPOSE_SECRETS", bool)
METRICS = web.AppKey("METRICS", Metrics)
ORIGINS = web.AppKey("ORIGINS", Origins)
TRACER: web.AppKey[Tracer] = web.AppKey("TRACER", Tracer)  # where there is tracing
LOGGED_CLIENTS = web.AppKey("LOGGED_CLIENTS", LoggedClients)
FORGET: web.AppKey[Callable[[Credential], Awaitable[None]]] = web.AppKey("FORGET")
LOGOUT_SECRETS: web.AppKey[Sequence[bytes]] = web.AppKey("LOGOUT_SECRETS")
HEALTH = web.AppKey("HEALTH", Health)
WEBHOOKS: web.AppKey[Webhooks] = web.AppKey("WEBHOOKS", Webhooks)
UNVERIFIED_BODIES = web.AppKey("UNVERIFIED_BODIES", UnverifiedBodies)
FORGET_LISTS: web.AppKey[Callable[[], Awaitable[None]]] = web.AppKey("FORGET_LISTS")

NOTES: web.RequestKey[dict[str, object]] = web.RequestKey("NOTES", dict)
OPERATION = web.RequestKey("OPERATION", str)
VERDICT = web.RequestKey("VERDICT", str)
OUTCOME = web.RequestKey("OUTCOME", Outcome)
