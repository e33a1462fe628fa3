"""Settings that the service and `provision` share: which operations are on, and Stripe's attribute for each field."""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from sidecar.core.access.field_map import FieldMap
from sidecar.core.flows.event_rules import EventRule
from sidecar.core.flows.mirror import Mirror
from sidecar.core.operations.known_attributes import API_VERSION
from sidecar.core.operations.rules import Rule, default_rules
from sidecar.settings.directus import DirectusSettings
from sidecar.settings.events_file import read_event_rules
from sidecar.settings.field_map import MappedFields, faults
from sidecar.settings.operations_file import read_rules
from sidecar.settings.secret_types import WebhookSecrets
from sidecar.settings.toml_file import FileFault
from sidecar.settings.types import ApiVersion, FieldAttributes, SocketPath, default_field_map


class OperationsSettings(DirectusSettings):
    """`provision` derives the rights of the service token from these settings."""

    directus_realtime: bool = Field(
        default=False,
        description="Hear of permission changes at once, over Directus's WebSocket; needs the service token",
    )
    websockets_rest_path: SocketPath = Field("/websocket", description="As set in Directus: the path of its WebSocket")
    stripe_field_map: FieldAttributes = Field(
        default_factory=default_field_map,
        description="JSON: a field of the collection -> the Stripe attribute or attributes it stands for, or what "
        "belongs to a customer, such as `subscription.status`",
    )
    stripe_webhook_secret: WebhookSecrets = Field(
        None,
        description="Signing secrets `whsec_…` of the webhook endpoint, comma-separated; needs the service token",
    )
    stripe_operations: Path | None = Field(
        None, description="A TOML file that turns further operations on, and says whose permissions decide on each"
    )
    stripe_events: Path | None = Field(
        None,
        description="A TOML file that says which events of Stripe start a Flow or write an item; needs "
        "`STRIPE_WEBHOOK_SECRET`",
    )
    stripe_api_version: ApiVersion = Field(
        API_VERSION, description="The version of Stripe's API that is asked for; `check` says if it is another release"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = list(self._contradictions())
        if found:
            raise ValueError("\n".join(found))
        return self

    def _contradictions(self) -> Iterator[str]:
        """Name the faults of settings that are valid alone but not together."""
        fields = list(faults(self.stripe_field_map, self.customers_collection))
        yield from (f"STRIPE_FIELD_MAP: {fault}" for fault in fields)
        yield from _faults_of("STRIPE_OPERATIONS", lambda: self.rules)
        of_events = list(_faults_of("STRIPE_EVENTS", lambda: self.event_rules))
        yield from of_events
        if self.stripe_webhook_secret is None:
            if not of_events and self.event_rules:
                yield "STRIPE_EVENTS: needs STRIPE_WEBHOOK_SECRET"
            if not fields and self.mapped.sources:
                yield "STRIPE_FIELD_MAP: needs STRIPE_WEBHOOK_SECRET: events keep true what belongs to a customer"

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The operations that are on. The file is read once, while the settings are validated."""
        if self.stripe_operations is None:
            return default_rules(self.customers_collection, self.field_map)
        return read_rules(
            self.stripe_operations, self.customers_collection, self.field_map, version=self.stripe_api_version
        )

    @property
    def mapped(self) -> MappedFields:
        """The fields of the customers collection, by what they are for."""
        return MappedFields.of(self.stripe_field_map)

    @cached_property
    def event_rules(self) -> tuple[EventRule, ...]:
        """What events start, besides following their customer. The file is read once, as the other one."""
        if self.stripe_events is None:
            return ()
        return read_event_rules(self.stripe_events, self.stripe_customers_collection, version=self.stripe_api_version)

    @property
    def field_map(self) -> FieldMap:
        """A customer's own attributes for the fields of the customers collection, its ID field first."""
        return FieldMap({self.stripe_customer_id_field: ("id",), **self.mapped.attributes})

    @property
    def collections(self) -> frozenset[str]:
        """Every collection whose permissions decide on an operation."""
        return frozenset({self.stripe_customers_collection, *(rule.collection for rule in self.rules)})

    @property
    def mirror(self) -> Mirror:
        """What an item repeats of its customer. Of the default map a collection may lack fields."""
        named = self.stripe_field_map != default_field_map()
        return Mirror.of(self.field_map, self.customers_collection, self.mapped.sources, named=named)


def _faults_of(name: str, read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except FileFault as fault:
        yield from (f"{name}: {each}" for each in fault.faults)
