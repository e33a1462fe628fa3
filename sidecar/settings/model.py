"""Settings from the environment, each also as NAME_FILE with the path of a file that holds the value.

That convention is Directus's own (its configuration page, "_FILE"). This module reads and judges; it
opens no connection. Whether Directus and Stripe agree with it is what ``check`` finds out.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sidecar.core.access.collection import CustomersCollection
from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.follow_customer import Mirror
from sidecar.core.operations.rules import Rule, RulesFault, default_rules, parse_rules
from sidecar.settings.files import FileSource, Unusable
from sidecar.settings.types import (
    FieldAttributes,
    Header,
    Key,
    Name,
    Networks,
    Origin,
    Origins,
    Prefix,
    ReturnUrls,
    Seconds,
    Token,
    WebhookSecrets,
    default_field_map,
)

SettingsT = TypeVar("SettingsT", bound=BaseSettings)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SettingsFault(Exception):
    """The settings cannot be used. `faults` has one line for each, naming the variable and never its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class DirectusSettings(BaseSettings):
    """What it takes to prepare a Directus; `provision` needs no more, so it asks for no Stripe key."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    directus_url: Origin = Field(description="Where Directus answers, as seen from the sidecar")
    stripe_customers_collection: Name = Field(description="The Directus collection whose permissions decide")
    stripe_customers_primary_key: Name = Field("id", description="That collection's primary key field")
    stripe_customer_id_field: Name = Field(
        "stripe_customer_id", description="That collection's field for Stripe's customer ID"
    )

    @property
    def customers_collection(self) -> CustomersCollection:
        return CustomersCollection(
            self.stripe_customers_collection, self.stripe_customers_primary_key, self.stripe_customer_id_field
        )

    @field_validator("*", mode="before")
    @classmethod
    def _unusable(cls, value: object) -> object:
        if isinstance(value, Unusable):
            raise ValueError(value.reason)  # noqa: TRY004 - pydantic collects ValueError, not TypeError
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FileSource(settings_cls), env_settings


class Settings(DirectusSettings):
    """Everything the service reads. Names are those of the environment, in lower case; times are in seconds."""

    stripe_live_secret_key: Key = Field(
        description="Stripe's key, `sk_…` or better a restricted `rk_…`; test keys work too"
    )
    directus_service_token: Token | None = Field(
        None, description="Static token that writes customer IDs back; without it the caller's own is used"
    )
    stripe_write_back: bool = Field(
        default=False, description="Put the ID of a created customer into an item of the collection"
    )
    directus_project: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = Field(
        "directus", description="This Directus's name in the metadata of its customers, for accounts that several share"
    )
    stripe_expose_client_secret: bool = Field(
        default=False,
        description="Leave `client_secret` in answers; only for front ends that confirm payments",
    )
    stripe_field_map: FieldAttributes = Field(
        default_factory=default_field_map,
        description="JSON: a field of the collection -> the Stripe attribute or attributes it stands for",
    )
    stripe_webhook_secret: WebhookSecrets = Field(
        None,
        description="Signing secrets `whsec_…` of the webhook endpoint, comma-separated; needs the service token",
    )
    stripe_operations: Path | None = Field(
        None, description="A TOML file that turns further operations on, and says whose permissions decide on each"
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
    stripe_api_version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$")] = Field(
        "2026-10-28.endive", description="The version of Stripe's API that is asked for"
    )
    sidecar_host: str = Field(
        "127.0.0.1", min_length=1, description="Address to listen on; `0.0.0.0` in a container of its own"
    )
    sidecar_port: int = Field(8080, ge=0, le=65535, description="Port to listen on")
    sidecar_prefix: Prefix = Field("/stripe", description="Path below which all routes stand")
    permissions_cache_ttl: Seconds = Field(30, description="How long a permission may be used after Directus was asked")
    permissions_denied_ttl: Seconds = Field(5, description="The same for a refusal; not longer than the other")
    permissions_cache_size: int = Field(
        10_000, ge=1, le=1_000_000, description="How many callers are remembered at most"
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks, comma-separated, whose `X-Forwarded-For` is believed"
    )
    allowed_origins: Origins = Field(
        (),
        description="Other origins, comma-separated, whose pages may use a visitor's session, such as `https://app.example.com`",
    )
    directus_realtime: bool = Field(
        default=False,
        description="Hear of permission changes at once, over Directus's WebSocket; needs the service token",
    )
    ip_custom_header: Header | None = Field(
        None,
        description="As set in Directus: the header it reads the client's address from, if not `X-Forwarded-For`",
    )
    session_cookie_name: Header = Field(
        "directus_session_token", description="As set in Directus: the cookie that holds a session"
    )
    denied_status: Literal[401, 403] = Field(
        401, description="Status for a known caller without the permission: 401 or 403"
    )
    directus_timeout: Seconds = Field(2, description="Whole budget of one question to Directus")
    directus_connect_timeout: Seconds = Field(0.5, description="Of that, to connect")
    stripe_timeout: Seconds = Field(25, description="Whole budget of one call to Stripe, retries included")
    stripe_connect_timeout: Seconds = Field(3, description="Of that, to connect, each time")
    stripe_max_rps: float = Field(
        20,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Pages a second that are asked of each list at Stripe, by all callers together",
    )
    stripe_list_concurrency: int = Field(
        6, ge=1, le=32, description="How many pages of one whole list are asked for at once; 1 is plain paging"
    )
    max_concurrent_requests: int = Field(
        500, ge=1, le=100_000, description="Requests worked on at once; one more is answered 503"
    )
    write_back_timeout: Seconds = Field(
        10, description="How long writing a new customer's ID is tried before it is left to a retry"
    )
    shutdown_delay: float = Field(
        5, ge=0, le=60, description="How long after SIGTERM requests are still accepted, so that proxies notice"
    )
    shutdown_timeout: Seconds = Field(18, description="How long requests under way may take to finish after SIGTERM")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged")

    @field_validator("denied_status", mode="before")
    @classmethod
    def _status(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        address = urlsplit(self.stripe_api_base)
        in_the_clear = address.scheme == "http" and address.hostname not in _LOOPBACK
        contradictions = {
            "PERMISSIONS_DENIED_TTL: must not be longer than PERMISSIONS_CACHE_TTL": (
                self.permissions_denied_ttl > self.permissions_cache_ttl
            ),
            "DIRECTUS_REALTIME: needs DIRECTUS_SERVICE_TOKEN": (
                self.directus_realtime and self.directus_service_token is None
            ),
            "STRIPE_WEBHOOK_SECRET: needs DIRECTUS_SERVICE_TOKEN": (
                self.stripe_webhook_secret is not None and self.directus_service_token is None
            ),
            "STRIPE_API_BASE: must be https:// for a live key": in_the_clear and self.livemode,
        }
        found = [fault for fault, there in contradictions.items() if there]
        found += [f"STRIPE_OPERATIONS: {fault}" for fault in self._rule_faults()]
        if found:
            raise ValueError("\n".join(found))
        return self

    def _rule_faults(self) -> Sequence[str]:
        try:
            rules = self.rules
        except RulesFault as fault:
            return fault.faults
        except (OSError, UnicodeDecodeError) as error:
            return [f"the file cannot be read ({type(error).__name__})"]
        without = [rule for rule in rules if rule.returns and not self.allowed_return_urls]
        return [f"line {rule.line}, [{rule.operation.name}]: needs ALLOWED_RETURN_URLS" for rule in without]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The operations that are on. Raises RulesFault, OSError and UnicodeDecodeError when first asked for."""
        if self.stripe_operations is None:
            return default_rules(self.customers_collection, self.field_map)
        text = self.stripe_operations.read_text(encoding="utf-8")
        return parse_rules(text, self.customers_collection, self.field_map)

    @property
    def field_map(self) -> FieldMap:
        """What the customers collection's fields stand for, its ID field first."""
        return FieldMap({self.stripe_customer_id_field: ("id",), **self.stripe_field_map})

    @property
    def collections(self) -> frozenset[str]:
        """Every collection whose permissions are ever asked about."""
        return frozenset({self.stripe_customers_collection, *(rule.collection for rule in self.rules)})

    @property
    def address_header(self) -> str:
        """Where Directus looks for the client's address."""
        return self.ip_custom_header or "X-Forwarded-For"

    @property
    def mirror(self) -> Mirror:
        """What of a customer its item repeats."""
        return Mirror.of(self.field_map, self.customers_collection)

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money."""
        return "_live_" in self.stripe_live_secret_key.get_secret_value()[:8]


def load(settings: type[SettingsT]) -> SettingsT:
    """Read `settings` from the environment.

    Raises SettingsFault with every fault at once, none of which shows a value.
    """
    try:
        return settings()
    except ValidationError as error:
        found = [_fault(e["loc"], e["type"], e["msg"]) for e in error.errors(include_input=False)]
        raise SettingsFault([line for fault in found for line in fault.splitlines()]) from None


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    reason = "is not set" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {reason}" if location else reason
