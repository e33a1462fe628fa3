"""What handlers find in the application, one key a resource."""

from aiohttp import web

from sidecar.core.creation import WriteBack
from sidecar.core.interfaces import Scoped, Stripe
from sidecar.core.projection import FieldMap
from sidecar.web.gate import Gate
from sidecar.web.health import Health

GATE = web.AppKey("GATE", Gate)
STRIPE: web.AppKey[Stripe] = web.AppKey("STRIPE", Stripe)
SCOPED: web.AppKey[Scoped] = web.AppKey("SCOPED", Scoped)
FIELD_MAP = web.AppKey("FIELD_MAP", FieldMap)
WRITE_BACK: web.AppKey[WriteBack | None] = web.AppKey("WRITE_BACK", WriteBack)
EXPOSE_SECRETS = web.AppKey("EXPOSE_SECRETS", bool)
HEALTH = web.AppKey("HEALTH", Health)
