"""What is sold; no customer owns it (docs.stripe.com/api/products)."""

from sidecar.core.operations.attributes import Attribute, Expandable, Structure, attributes
from sidecar.core.operations.resource import Resource, shown

_RECURRING = Structure(attributes(text="interval usage_type", integer="interval_count"))

PRODUCT = Resource(
    "product",
    "/v1/products",
    ("prod",),
    shown(text="name description", texts="images", boolean="livemode active", reference="default_price"),
    owned=False,
    customer_at=(),
    free=True,
)

PRICE = Resource(
    "price",
    "/v1/prices",
    ("price",),
    shown(
        Attribute("recurring", _RECURRING),
        Attribute("product", Expandable("product")),
        text="currency type nickname lookup_key",
        integer="unit_amount",
        boolean="livemode active",
    ),
    owned=False,
    customer_at=(),
    free=True,  # a price that was once a plan keeps the plan's ID
)
