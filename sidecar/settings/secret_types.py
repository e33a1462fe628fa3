"""Types of settings that are secrets. Their messages say how to mend a value, and never show it."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from sidecar.settings.plain_values import require_bare
from sidecar.settings.redis_address import redis_address
from sidecar.settings.types import listed

_WHSEC, _SHORTEST, _LONGEST = "whsec_", 16, 250


_OTHER_SECRETS = {  # by how they begin, what they are where a key is wanted
    "pk_": "is a publishable key (pk_), which is for front ends: the secret (sk_) or a restricted (rk_) one is needed",
    "whsec_": "is the signing secret of a webhook (whsec_), which belongs in STRIPE_WEBHOOK_SECRET",
    "sk_org_": "is a key of an organization: take one of the account itself (sk_live_, rk_live_, sk_test_ or rk_test_)",
    "acct_": "is the ID of an account, which belongs in STRIPE_ACCOUNT; the key begins with sk_ or rk_",
}
_PLACEHOLDER = re.compile(r"(sk|rk)_(test|live)_(replace_me|your_.*|x{3,}|\*+|\.{3,}|…)", re.IGNORECASE)


def _key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    require_bare(key)
    for beginning, fault in _OTHER_SECRETS.items():
        if key.startswith(beginning):
            raise ValueError(fault)
    if _PLACEHOLDER.fullmatch(key):
        raise ValueError(
            "is still an example's placeholder: put in a key from Stripe's dashboard (Developers, API keys), best a "
            "restricted one"
        )
    if not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", key):
        raise ValueError("must be a secret (sk_) or restricted (rk_) key of Stripe, such as rk_test_ and what follows")
    return value


def _token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value()
    require_bare(token)
    if re.match(r"bearer\s", token, re.IGNORECASE):
        raise ValueError("must be the token alone, without the word Bearer")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ValueError("must be a token of visible ASCII characters without spaces")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    """A shorter one could be guessed; those that Stripe gives have 32 characters and more after the prefix."""
    secret = value.get_secret_value()
    require_bare(secret)
    if secret.startswith("we_"):
        raise ValueError(
            "is the ID of a webhook endpoint (we_): its signing secret is needed, which begins with whsec_"
        )
    if re.match("(sk|rk|pk)_", secret):
        raise ValueError("is a key of Stripe: the signing secret of the webhook is needed, which begins with whsec_")
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
    BeforeValidator(listed),
    AfterValidator(_some),
]
SidecarSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_sidecar_secret)], ...] | None,
    BeforeValidator(listed),
    AfterValidator(_distinct),
]
LogoutSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_logout_secret)], ...] | None,
    BeforeValidator(listed),
    AfterValidator(_distinct),
]
