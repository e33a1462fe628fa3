"""The collection of Directus whose items say which of Stripe's customers belongs to whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CustomersCollection:
    """Names as Directus has them: `key_field` is the primary key, `id_field` holds Stripe's customer ID."""

    name: str
    key_field: str
    id_field: str

    @property
    def service_policy(self) -> str:
        """The name of the policy that `provision` makes; by the collection, so that two services do not share one."""
        return f"Stripe sidecar ({self.name})"
