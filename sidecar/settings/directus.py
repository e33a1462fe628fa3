"""The settings that name Directus and its customers collection."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sidecar.core.access.collection import CustomersCollection
from sidecar.settings.types import CollectionName, Origin, OwnFieldName
from sidecar.settings.variables import Unusable, VariableSource


class DirectusSettings(BaseSettings):
    """The settings that every command needs, also `provision`, which gets no Stripe key."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    directus_url: Origin = Field(description="Where Directus answers, as seen from the sidecar")
    stripe_customers_collection: CollectionName = Field(description="The Directus collection whose permissions decide")
    stripe_customers_primary_key: OwnFieldName = Field("id", description="That collection's primary key field")
    stripe_customer_id_field: OwnFieldName = Field(
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
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, VariableSource(settings_cls)
