"""What localstripe lacks of the operations that the service can serve, or does otherwise than Stripe documents it.

    endpoint    how an endpoint is described and answered, and the ways into localstripe
    lists       every list and every retrieval, with Stripe's parameters
    payments    payments, refunds, saved payment methods, and customers that are deleted
    billing     prices, subscriptions to them, and what an invoice would be
    sessions    Checkout's and the billing portal's

Parameters are those of docs.stripe.com/api that the service sends, and a few to seed with; others are refused.
"""

from deploy.demo.emulated import billing, lists, payments, sessions

ENDPOINTS = (*payments.ENDPOINTS, *billing.ENDPOINTS, *sessions.ENDPOINTS, *lists.ENDPOINTS)
