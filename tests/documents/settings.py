"""The settings as sidecar/README.md has them, in groups."""

import json
from collections.abc import Iterable, Mapping

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sidecar.settings import Settings

# What is in no group is in the last one.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "required": ("DIRECTUS_URL", "STRIPE_CUSTOMERS_COLLECTION", "STRIPE_LIVE_SECRET_KEY"),
    "directus": (
        *("STRIPE_CUSTOMERS_PRIMARY_KEY", "STRIPE_CUSTOMER_ID_FIELD", "DIRECTUS_SERVICE_TOKEN", "DIRECTUS_REALTIME"),
        *("WEBSOCKETS_REST_PATH", "SESSION_COOKIE_NAME", "IP_CUSTOM_HEADER", "DIRECTUS_PROJECT", "DIRECTUS_TIMEOUT"),
        *("DIRECTUS_CONNECT_TIMEOUT", "DIRECTUS_MAX_CONCURRENT", "PERMISSIONS_CACHE_TTL", "PERMISSIONS_DENIED_TTL"),
        "PERMISSIONS_CACHE_SIZE",
    ),
    "allowed": (
        *("STRIPE_OPERATIONS", "STRIPE_EXPOSE_CLIENT_SECRET", "ALLOWED_RETURN_URLS", "SCOPE_MAX_CUSTOMERS"),
        *("ALLOW_SHARES", "DENIED_STATUS"),
    ),
    "customers": (
        *("STRIPE_WRITE_BACK", "SIDECAR_SECRET", "STRIPE_FIELD_MAP", "WRITE_BACK_TIMEOUT", "STRIPE_WEBHOOK_SECRET"),
        "STRIPE_EVENTS",
    ),
    "stripe": (
        *("STRIPE_ACCOUNT", "STRIPE_API_VERSION", "STRIPE_API_BASE", "STRIPE_TIMEOUT", "STRIPE_CONNECT_TIMEOUT"),
        *("STRIPE_ACCOUNT_RPS", "STRIPE_MAX_RPS", "STRIPE_CALLER_RPS", "STRIPE_LIST_CONCURRENCY", "STRIPE_READ_CACHE"),
    ),
    "browsers": ("TRUSTED_PROXIES", "ALLOWED_ORIGINS", "LOGOUT_SECRET", "KEEPALIVE_TIMEOUT"),
    "replicas": ("REDIS", "REDIS_CA", "REDIS_SENTINEL_PASSWORD", "SIDECAR_REPLICAS"),
    "watching": (
        *("LOG_LEVEL", "LOG_CLIENT_ADDRESS", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        *("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"),
    ),
    "process": (),
}


def settings_table(group: str) -> str:
    rows = [f"| `{name}` | {shown_default(field)} | {field.description} |" for name, field in members(group)]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows])


def members(group: str) -> Iterable[tuple[str, FieldInfo]]:
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    grouped = {name for names in GROUPS.values() for name in names}
    names = GROUPS[group] or [name for name in fields if name not in grouped]
    return [(name, fields[name]) for name in names]


def shown_default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, dict):
        return f"`{json.dumps({name: names[0] for name, names in value.items()})}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value in {None, ()} else f"`{value}`"
