"""Coupons, the codes that customers type for them, and links to pay by. No customer owns one."""

from sidecar.core.operations.parameters import Flag, Parameter, Reference, Text
from sidecar.core.operations.resources import COUPON, PAYMENT_LINK, PROMOTION_CODE
from sidecar.core.operations.row import Kind
from sidecar.core.operations.table.rows import offered

_ACTIVE = Parameter("active", Flag())

OFFERS = (
    offered("coupons.list", "/coupons", COUPON, "every coupon, newest first", kind=Kind.LIST),
    offered("coupons.retrieve", "/coupons/{coupon_id}", COUPON, "that coupon", kind=Kind.RETRIEVE),
    offered(
        "promotion_codes.list",
        "/promotion_codes",
        PROMOTION_CODE,
        "every promotion code, newest first",
        kind=Kind.LIST,
        parameters=(Parameter("code", Text(500)), Parameter("coupon", Reference(COUPON)), _ACTIVE),
    ),
    offered(
        "promotion_codes.find",
        "/promotion_codes/find",
        PROMOTION_CODE,
        "the promotion code that a customer typed as `code`, none where there is no such code",
        kind=Kind.LIST,
        parameters=(Parameter("code", Text(500), required=True), _ACTIVE),
    ),
    offered(
        "promotion_codes.retrieve",
        "/promotion_codes/{promotion_code_id}",
        PROMOTION_CODE,
        "that promotion code",
        kind=Kind.RETRIEVE,
    ),
    offered(
        "payment_links.list",
        "/payment_links",
        PAYMENT_LINK,
        "every payment link, newest first",
        kind=Kind.LIST,
        parameters=(_ACTIVE,),
    ),
    offered(
        "payment_links.retrieve",
        "/payment_links/{payment_link_id}",
        PAYMENT_LINK,
        "that payment link; its `url` is the page to pay on",
        kind=Kind.RETRIEVE,
    ),
)
