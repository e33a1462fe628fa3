"""Types of settings that are secrets. Their messages say how to mend a value, and never show it."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from sidecar.settings.redis_address import redis_address
from sidecar.settings.types import listed

_WHSEC, _SHORTEST, _LONGEST = "whsec_", 16, 250


def _key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", value.get_secret_value()):
        raise ValueError("must be a secret (sk_) or restricted (rk_) key of Stripe, without spaces or quotes")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("must be a token of visible ASCII characters without spaces")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    """A shorter one could be guessed; those that Stripe gives have 32 characters and more after the prefix."""
    secret = value.get_secret_value()
    if not re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]*", secret):
        raise ValueError("must be signing secrets (whsec_) of Stripe's webhooks, comma-separated, without quotes")
    if not _SHORTEST <= len(secret) - len(_WHSEC) <= _LONGEST:
        raise ValueError(
            f"each secret must have {_SHORTEST} to {_LONGEST} characters after {_WHSEC}; copy it whole from Stripe's "
            "dashboard, or from `stripe listen`"
        )
    return value


def _some(values: tuple[SecretStr, ...] | None) -> tuple[SecretStr, ...] | None:
    if values == ():
        raise ValueError("must name a signing secret (whsec_), or not be set")
    return values


def _sidecar_secret(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{32,1000}", value.get_secret_value()):
        raise ValueError(
            "must be at least 32 visible ASCII characters, such as `openssl rand -base64 32` prints; several are "
            "comma-separated"
        )
    return value


def _logout_secret(value: SecretStr) -> SecretStr:
    """Refuse also what would end a quoted text in nginx's configuration, or name a variable there."""
    if not re.fullmatch(r"""(?!.*["'\\$,])[!-~]{32,1000}""", value.get_secret_value()):
        raise ValueError(
            "must be 32 to 1000 visible ASCII characters without quotes, backslash and dollar; several are "
            "comma-separated"
        )
    return value


def _redis(value: SecretStr) -> SecretStr:
    redis_address(value.get_secret_value())
    return value


def _distinct(values: tuple[SecretStr, ...] | None) -> tuple[SecretStr, ...] | None:
    if values == ():
        raise ValueError("must contain a secret, or not be set")
    if values is not None and len(set(values)) < len(values):
        raise ValueError("must not contain one secret twice")
    return values


Token = Annotated[SecretStr, AfterValidator(_token)]
Key = Annotated[SecretStr, AfterValidator(_key)]
RedisString = Annotated[SecretStr, AfterValidator(_redis)]
WebhookSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_webhook_secret)], ...] | None,
    NoDecode,  # None is inside: otherwise pydantic parses a quoted value as JSON
    BeforeValidator(listed),
    AfterValidator(_some),
]
SidecarSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_sidecar_secret)], ...] | None,
    NoDecode,  # as WebhookSecrets
    BeforeValidator(listed),
    AfterValidator(_distinct),
]
LogoutSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_logout_secret)], ...] | None,
    NoDecode,  # as WebhookSecrets
    BeforeValidator(listed),
    AfterValidator(_distinct),
]
