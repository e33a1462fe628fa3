"""Variables that look like settings of this service and are none. Only their names are shown, never their values."""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from sidecar.settings.variables import SUFFIX, Variables

_OTHER_NAMES = {  # what people call a setting who know it from elsewhere, such as Stripe's and Directus's examples
    "STRIPE_LIVE_SECRET_KEY": (
        "STRIPE_SECRET_KEY STRIPE_SECRET STRIPE_API_KEY STRIPE_KEY STRIPE_TEST_SECRET_KEY STRIPE_RESTRICTED_KEY "
        "STRIPE_API_SECRET STRIPE_SK"
    ),
    "STRIPE_CUSTOMERS_COLLECTION": "STRIPE_COLLECTION DIRECTUS_COLLECTION CUSTOMERS_COLLECTION",
    "STRIPE_CUSTOMER_ID_FIELD": "STRIPE_ID_FIELD STRIPE_CUSTOMER_FIELD CUSTOMER_ID_FIELD",
    "STRIPE_CUSTOMERS_PRIMARY_KEY": "STRIPE_PRIMARY_KEY STRIPE_CUSTOMERS_KEY",
    "STRIPE_WEBHOOK_SECRET": "STRIPE_ENDPOINT_SECRET STRIPE_SIGNING_SECRET STRIPE_WEBHOOK_KEY STRIPE_WHSEC",
    "STRIPE_ACCOUNT": "STRIPE_CONNECT_ACCOUNT STRIPE_ACCOUNT_ID",
    "STRIPE_API_VERSION": "STRIPE_VERSION",
    "STRIPE_API_BASE": "STRIPE_API_URL STRIPE_BASE_URL",
    "DIRECTUS_URL": "DIRECTUS_HOST DIRECTUS_API_URL DIRECTUS_BASE_URL DIRECTUS_PUBLIC_URL DIRECTUS_ENDPOINT",
    "DIRECTUS_SERVICE_TOKEN": "DIRECTUS_TOKEN DIRECTUS_STATIC_TOKEN DIRECTUS_ACCESS_TOKEN DIRECTUS_API_TOKEN",
    "SIDECAR_SECRET": "SIDECAR_SECRET_KEY SIDECAR_KEY SIDECAR_TOKEN",
    "SIDECAR_PORT": "SIDECAR_LISTEN_PORT SIDECAR_HTTP_PORT",
    "SIDECAR_PREFIX": "SIDECAR_PATH SIDECAR_BASE_PATH STRIPE_PREFIX",
    "ALLOWED_ORIGINS": "ALLOW_ORIGINS CORS_ORIGINS CORS_ALLOWED_ORIGINS SIDECAR_ORIGINS",
    "ALLOWED_RETURN_URLS": "STRIPE_RETURN_URL STRIPE_RETURN_URLS STRIPE_SUCCESS_URL",
    "REDIS": "REDIS_URL REDIS_URI SIDECAR_REDIS",
    "LOG_LEVEL": "SIDECAR_LOG_LEVEL STRIPE_LOG_LEVEL LOGLEVEL",
}
_MEANT = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
_OURS = ("STRIPE_", "SIDECAR_")
_ELSEWHERE = {
    "DIRECTUS_ADMIN_TOKEN": "is only for `provision`: the service does not read it and should not be given it",
    "STRIPE_PUBLISHABLE_KEY": "is not read: a publishable key (pk_) belongs in the front end",
    "STRIPE_PUBLIC_KEY": "is not read: a publishable key (pk_) belongs in the front end",
}
# What Kubernetes puts into a pod for each Service (kubernetes.io/docs/concepts/services-networking/service).
_SERVICE_LINK = re.compile(r"[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")
# Directus's own names that resemble ours (its configuration pages); what begins so is not looked at.
_DIRECTUS = re.compile(r"(REFRESH_TOKEN|SESSION|WEBSOCKETS|REDIS|LOG|LOGGER|RATE_LIMITER|IP|CACHE|CORS|SERVER)_\w+")
_ALIKE = 0.85  # of difflib's measure; a lower one finds ALLOWED_HOSTS


def misnamed(names: Collection[str], variables: Variables) -> Iterator[str]:
    """Say of each such variable that it is not read, and what may be meant. `names` are those of our settings."""
    given, known = variables.names, set(names)
    for name in sorted(given - known - {each + SUFFIX for each in known}):
        if name in _ELSEWHERE:
            yield f"{name} {_ELSEWHERE[name]}"
            continue
        setting = _meant(name, known)
        ending = SUFFIX if name.endswith(SUFFIX) and setting is not None else ""
        ours = name.startswith(_OURS) and not _SERVICE_LINK.fullmatch(name)
        if ours or (setting is not None and not {setting, setting + SUFFIX} & given):
            question = "" if setting is None else f"; did you mean {setting}{ending}?"
            yield f"{name} is no setting of this service and is not read{question}"


def meant_by(setting: str, variables: Variables) -> str:
    """Ask about a missing setting whether a variable was meant for it; empty where none is like it."""
    known = {setting, *_OTHER_NAMES}
    found = [name for name in sorted(variables.names - known) if _meant(name, known) == setting]
    return f"; {found[0]} is set, which is not read: did you mean {setting}?" if found else ""


def _meant(name: str, settings: Collection[str]) -> str | None:
    bare = name.removesuffix(SUFFIX)
    if bare in _MEANT:
        return _MEANT[bare]
    if _SERVICE_LINK.fullmatch(name) or _DIRECTUS.fullmatch(bare):
        return None
    ours = bare.startswith((*_OURS, "DIRECTUS_"))
    return next(iter(get_close_matches(bare, sorted(settings), n=1, cutoff=0.7 if ours else _ALIKE)), None)
