"""The settings of the service, from the environment and `.env`; NAME_FILE may name a file with the value of NAME.

This module only reads and validates. ``check`` asks Directus and Stripe whether they agree with the settings.
"""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from sidecar.core.operations.rule_needs import Given, unmet_needs
from sidecar.settings.redis_address import redis_address
from sidecar.settings.secret_types import Key, LogoutSecrets, RedisString, SidecarSecrets, Token
from sidecar.settings.tracing import TracingSettings
from sidecar.settings.types import (
    AccountId,
    Certificates,
    Header,
    Host,
    LogLevel,
    Networks,
    Origin,
    Origins,
    Port,
    Prefix,
    ProjectName,
    ReturnUrls,
    Seconds,
)

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


class Settings(TracingSettings):
    """All settings of the service. Each field is an environment variable in lower case; times are in seconds."""

    stripe_live_secret_key: Key = Field(
        description="Stripe's key, `sk_…` or better a restricted `rk_…`; test keys work too"
    )
    stripe_account: AccountId | None = Field(
        None, description="A connected account `acct_…` of the key's platform, on which every call is made"
    )
    directus_service_token: Token | None = Field(
        None, description="Static token that writes customer IDs back; without it the caller's own is used"
    )
    stripe_write_back: bool = Field(
        default=False, description="Put the ID of a created customer into an item of the collection"
    )
    sidecar_secret: SidecarSecrets = Field(
        None,
        description="At least 32 bytes, made by `provision`: signs what is written to Stripe; needed with "
        "`STRIPE_WRITE_BACK` and `REDIS`. Comma-separated while one is replaced, the current one first",
    )
    redis: RedisString | None = Field(
        None,
        description="Where replicas share what they know, as Directus's own `REDIS`: "
        "`redis://user:password@host:6379/0` or `rediss://…`; needs `SIDECAR_SECRET`. "
        "Without it each replica is a service of its own",
    )
    redis_ca: Certificates | None = Field(
        None, description="Certificates (PEM) by which that Redis's own is verified, if not the system's"
    )
    redis_sentinel_password: Token | None = Field(
        None, description="Password of the sentinels, where `REDIS` begins with `redis+sentinel://` and they have one"
    )
    sidecar_replicas: int = Field(
        1,
        ge=1,
        le=10_000,
        description="How many replicas there may be: with `REDIS`, each takes this part of Stripe's limits while they "
        "cannot be counted",
    )
    directus_project: ProjectName | None = Field(
        None,
        description="This Directus's name in the metadata of its customers; without it Directus's own `project_id`",
    )
    stripe_expose_client_secret: bool = Field(
        default=False,
        description="Leave client secrets, and keys for Stripe's SDKs, in answers to the"
        "ir owner; only for front ends that take payments",
    )
    allowed_return_urls: ReturnUrls = Field(
        (),
        description="Addresses, comma-separated, at or below which Stripe's pages may send a browser back, such as `https://app.example.com/account`",
    )
    scope_max_customers: int = Field(
        200,
        ge=1,
        le=10_000,
        description="How many customers a caller with partial access may have before lists end in 422",
    )
    stripe_api_base: Origin = Field(
        "https://api.stripe.com", description="Stripe's address; another one only for tests"
    )
    sidecar_host: Host = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` in a container of its own")
    sidecar_port: Port = Field(8080, description="Port to listen on")
    sidecar_prefix: Prefix = Field("/stripe", description="Path under which all routes are")
    permissions_cache_ttl: Seconds = Field(30, description="How long a permission may be used after Directus was asked")
    permissions_denied_ttl: Seconds = Field(5, description="The same for a refusal; not longer than the other")
    permissions_cache_size: int = Field(
        10_000, ge=1, le=1_000_000, description="How many callers are remembered at most"
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or small networks of your proxies, comma-separated, whose `X-Forwarded-For` is "
        "believed: a program with one of these addresses can claim to be any client",
    )
    allowed_origins: Origins = Field(
        (),
        description="Other origins, comma-separated, whose pages may use a visitor's session, such as "
        "`https://app.example.com`, `capacitor://localhost`, or `https://*.preview.example.com` for one label: "
        "then everybody with a name there can use the sessions of all visitors",
    )
    ip_custom_header: Header | None = Field(
        None,
        description="As set in Directus: the header it reads the client's address from, if not `X-Forwarded-For`",
    )
    session_cookie_name: Header = Field(
        "directus_session_token", description="As set in Directus: the cookie that contains a session"
    )
    logout_secret: LogoutSecrets = Field(
        None,
        description="Secrets of at least 32 characters, comma-separated: the proxy tells of a logout with one of them; "
        "without it `/logout` does not exist",
    )
    denied_status: Literal[401, 403] = Field(
        401, description="Status for a known caller without the permission: 401 or 403"
    )
    allow_shares: Literal["none", "read"] = Field(
        "none",
        description="What the token of a share opens, which is nobody's: `none`, or with `read` reading the customer "
        "of the shared item, and nothing else",
    )
    log_level: LogLevel = Field("INFO", description="Least level that is logged")
    log_client_address: Literal["full", "anonymous", "none"] = Field(
        "anonymous",
        description="What a request's log line says of its client: the `full` address, the `anonymous` network around "
        "it (IPv4 /24, IPv6 /48), or `none`",
    )

    @field_validator("denied_status", mode="before")
    @classmethod
    def _status(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value

    def _contradictions(self) -> Iterator[str]:
        address = urlsplit(self.stripe_api_base)
        in_the_clear = address.scheme == "http" and address.hostname not in _LOOPBACK
        without_token = self.directus_service_token is None
        tls = self.redis is not None and redis_address(self.redis.get_secret_value()).tls
        contradictions = {
            "PERMISSIONS_DENIED_TTL: must not be longer than PERMISSIONS_CACHE_TTL": (
                self.permissions_denied_ttl > self.permissions_cache_ttl
            ),
            "DIRECTUS_REALTIME: needs DIRECTUS_SERVICE_TOKEN": self.directus_realtime and without_token,
            "STRIPE_WEBHOOK_SECRET: needs DIRECTUS_SERVICE_TOKEN": (
                self.stripe_webhook_secret is not None and without_token
            ),
            "STRIPE_WRITE_BACK: needs SIDECAR_SECRET, which `provision --secret-file` makes": (
                self.stripe_write_back and self.sidecar_secret is None
            ),
            "REDIS: needs SIDECAR_SECRET, which `provision --secret-file` makes": (
                self.redis is not None and self.sidecar_secret is None
            ),
            "REDIS_CA: is only for a REDIS that begins with rediss": self.redis_ca is not None and not tls,
            "STRIPE_READ_CACHE: needs STRIPE_WEBHOOK_SECRET, or it would show what has changed at Stripe": (
                self.stripe_read_cache is not None and self.stripe_webhook_secret is None
            ),
            "STRIPE_READ_CACHE: needs REDIS where SIDECAR_REPLICAS is more than one, so that each hears of changes": (
                self.stripe_read_cache is not None and self.redis is None and self.sidecar_replicas > 1
            ),
            "STRIPE_API_BASE: must be https:// for a live key": in_the_clear and self.livemode,
            "DIRECTUS_URL: is the address on which the sidecar itself listens: name Directus's own, such as "
            "http://directus:8055": self._asks_itself,
        }
        yield from (fault for fault, there in contradictions.items() if there)
        faults = list(super()._contradictions())
        rules = () if faults else self.rules
        given = Given(
            bool(self.allowed_return_urls),
            not without_token,
            self.stripe_write_back,
            self.stripe_expose_client_secret,
        )
        needs = unmet_needs(rules, given)
        yield from (*faults, *(f"STRIPE_OPERATIONS: {need}" for need in needs))

    @property
    def _asks_itself(self) -> bool:
        address = urlsplit(self.directus_url)
        port = address.port or (443 if address.scheme == "https" else 80)
        everywhere = self.sidecar_host in _EVERYWHERE | _LOOPBACK
        host = address.hostname in _LOOPBACK if everywhere else address.hostname == self.sidecar_host
        return host and port == self.sidecar_port

    @property
    def address_header(self) -> str:
        """The header from which Directus reads the client's address."""
        return self.ip_custom_header or "X-Forwarded-For"

    @property
    def account_rps(self) -> float:
        """Calls a second to Stripe in all."""
        return self.stripe_account_rps or (80.0 if self.livemode else 20.0)

    @property
    def caller_rps(self) -> float:
        """Calls a second to Stripe of one caller."""
        return self.stripe_caller_rps or max(self.account_rps / 2, min(self.stripe_max_rps, self.account_rps))

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money."""
        return "_live_" in self.stripe_live_secret_key.get_secret_value()[:8]
