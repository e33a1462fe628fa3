"""What is sold."""

from sidecar.core.operations.parameters import (
    Expansion,
    Flag,
    OneOf,
    Parameter,
    Reference,
    Several,
    Text,
)
from sidecar.core.operations.resources import (
    PRICE,
    PRODUCT,
)
from sidecar.core.operations.row import Kind
from sidecar.core.operations.shared_parameters import (
    CURRENCY,
)
from sidecar.core.operations.table.rows import offered

CATALOGUE = (
    offered(
        "products.list",
        "/products",
        PRODUCT,
        "every product, newest first",
        kind=Kind.LIST,
        for_guests=True,
        parameters=(Parameter("active", Flag()),),
    ),
    offered(
        "products.retrieve", "/products/{product_id}", PRODUCT, "that product", kind=Kind.RETRIEVE, for_guests=True
    ),
    offered(
        "prices.list",
        "/prices",
        PRICE,
        "every price, newest first",
        kind=Kind.LIST,
        for_guests=True,
        parameters=(
            Parameter("active", Flag()),
            Parameter("product", Reference(PRODUCT)),
            Parameter("currency", CURRENCY),
            Parameter("type", OneOf(("one_time", "recurring"))),
            Parameter("lookup_keys", Several(Text(200), 10)),
            Parameter("with", Expansion("product", PRODUCT), ours=True),
        ),
    ),
    offered("prices.retrieve", "/prices/{price_id}", PRICE, "that price", kind=Kind.RETRIEVE, for_guests=True),
)
