"""What Stripe keeps of a customer: tax IDs, the credit balance, what it used and what it may use."""

from sidecar.core.access.permissions import Action
from sidecar.core.operations.parameters import Group, OneOf, Parameter, Pattern, Reference, Text, Time
from sidecar.core.operations.resources import (
    ACTIVE_ENTITLEMENT,
    CUSTOMER,
    CUSTOMER_BALANCE_TRANSACTION,
    METER,
    METER_EVENT,
    TAX_ID,
)
from sidecar.core.operations.row import CustomerParameter, Done, Kind, Scoping
from sidecar.core.operations.table.rows import changed, created, listed, offered

_LONGEST = 100  # characters (docs.stripe.com/api/billing/meter-event/create)
_USED = Pattern(r"[0-9]{1,15}(\.[0-9]{1,12})?", "a number as a text, such as 25 or 0.5")  # less would lower a bill
_TAX_IDS = "/customers/{customer_id}/tax_ids"

RECORDS = (
    listed(
        "tax_ids.list",
        _TAX_IDS,
        TAX_ID,
        "that customer's tax IDs, newest first",
        scoping=Scoping.FILTER,
        at=f"/v1{_TAX_IDS}",
    ),
    created(
        "tax_ids.create",
        _TAX_IDS,
        TAX_ID,
        "the tax ID of that customer",
        at=f"/v1{_TAX_IDS}",
        parameters=(
            Parameter("type", Pattern("[a-z]{2}_[a-z_]{2,20}", "a type of tax ID, such as eu_vat"), required=True),
            Parameter("value", Text(255), required=True),
        ),
    ),
    changed(
        "tax_ids.delete",
        "/tax_ids/{tax_id_id}",
        TAX_ID,
        "that tax ID, deleted",
        method="DELETE",
        done=Done("deleted", value=True, gone=True),
    ),
    listed(
        "customer_balance_transactions.list",
        "/customers/{customer_id}/balance_transactions",
        CUSTOMER_BALANCE_TRANSACTION,
        "every movement of that customer's credit balance, newest first",
        scoping=Scoping.FILTER,
        at=CUSTOMER_BALANCE_TRANSACTION.path,
    ),
    listed(
        "active_entitlements.list",
        "/entitlements/active_entitlements",
        ACTIVE_ENTITLEMENT,
        "the features that a customer may use now",
        scoping=Scoping.FILTER,
        customer=CustomerParameter.REQUIRED,
    ),
    created(
        "billing_meter_events.create",
        "/billing/meter_events",
        METER_EVENT,
        "the event by which a customer's usage is billed",
        action=Action.CREATE,
        on_customers=False,
        customer=CustomerParameter.REQUIRED,
        customer_at=("payload", "stripe_customer_id"),
        parameters=(
            Parameter("event_name", Text(_LONGEST), required=True),
            Parameter(
                "payload",
                Group((Parameter("stripe_customer_id", Reference(CUSTOMER)), Parameter("value", _USED, required=True))),
                required=True,
            ),
            Parameter("identifier", Text(_LONGEST)),
            Parameter("timestamp", Time()),
        ),
    ),
    offered(
        "billing_meters.list",
        "/billing/meters",
        METER,
        "every meter by which usage is billed",
        kind=Kind.LIST,
        parameters=(Parameter("status", OneOf(("active", "inactive"))),),
    ),
)
