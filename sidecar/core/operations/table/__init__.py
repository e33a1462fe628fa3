"""The whole surface of the service as one table. What has no row here does not exist.

Only the basic ones are on by themselves; STRIPE_OPERATIONS turns on the others. Paths, parameters and their meaning
are Stripe's (docs.stripe.com/api, the page of each resource) unless a row says `ours`.
"""

from sidecar.core.operations.table.billing import BILLING
from sidecar.core.operations.table.catalogue import CATALOGUE
from sidecar.core.operations.table.checkout import CHECKOUT
from sidecar.core.operations.table.customers import CUSTOMERS
from sidecar.core.operations.table.disputes import DISPUTES
from sidecar.core.operations.table.intents import INTENTS
from sidecar.core.operations.table.invoices import INVOICES
from sidecar.core.operations.table.offers import OFFERS
from sidecar.core.operations.table.payments import PAYMENTS
from sidecar.core.operations.table.records import RECORDS
from sidecar.core.operations.table.schedules import SCHEDULES
from sidecar.core.operations.table.sdks import SDKS
from sidecar.core.operations.table.searches import SEARCHES

OPERATIONS = (
    *(*PAYMENTS, *INTENTS, *DISPUTES, *CUSTOMERS, *RECORDS),
    *(*INVOICES, *BILLING, *SCHEDULES, *CHECKOUT, *SDKS),
    *(*CATALOGUE, *OFFERS, *SEARCHES),
)
