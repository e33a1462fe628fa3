"""Payments that a customer's bank disputes."""

from sidecar.core.operations.parameters import Parameter, Reference
from sidecar.core.operations.resources import CHARGE, DISPUTE, PAYMENT_INTENT
from sidecar.core.operations.row import Scoping
from sidecar.core.operations.table.rows import listed, retrieved

DISPUTES = (
    listed(
        "disputes.list",
        "/disputes",
        DISPUTE,
        "every dispute, newest first; with partial access those of one payment",
        scoping=Scoping.REFERRED,
        parameters=(Parameter("payment_intent", Reference(PAYMENT_INTENT)), Parameter("charge", Reference(CHARGE))),
    ),
    retrieved("disputes.retrieve", "/disputes/{dispute_id}", DISPUTE, "that dispute"),
)
