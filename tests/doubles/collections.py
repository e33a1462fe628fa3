"""The customers collection of tests that run without Directus."""

from dataclasses import replace

from sidecar.core.access.collection import CustomersCollection

CUSTOMERS = CustomersCollection("customers", "id", "cus")


def named(name: str) -> CustomersCollection:
    return replace(CUSTOMERS, name=name)
