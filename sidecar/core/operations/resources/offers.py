"""What makes a price lower, and links to pay by; no customer owns it (docs.stripe.com/api/promotion_codes)."""

from sidecar.core.operations.attributes import Attribute, attributes, closed
from sidecar.core.operations.resource import Resource, shown

COUPON = Resource(
    "coupon",
    "/v1/coupons",
    (),  # the account chooses the IDs, or Stripe makes some without a prefix
    shown(
        text="name duration currency",
        number="percent_off",
        integer="amount_off duration_in_months",
        timestamp="redeem_by",
        boolean="livemode valid",
    ),
    owned=False,
    customer_at=(),
    free=True,
)

_RESTRICTIONS = closed(text="minimum_amount_currency", integer="minimum_amount", boolean="first_time_transaction")

PROMOTION_CODE = Resource(
    "promotion_code",
    "/v1/promotion_codes",
    ("promo",),
    shown(
        Attribute("promotion", closed(text="type", reference="coupon")),
        Attribute("restrictions", _RESTRICTIONS),
        text="code",
        timestamp="expires_at",
        boolean="livemode active",
    ),
    owned=False,  # it may name the one customer that may use it, who does not own it
)

PAYMENT_LINK = Resource(
    "payment_link",
    "/v1/payment_links",
    ("plink",),
    attributes(text="id object currency url", boolean="livemode active"),
    owned=False,
    customer_at=(),
    dated=False,
)
