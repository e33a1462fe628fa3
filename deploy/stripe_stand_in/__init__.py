"""A stand-in for Stripe: an account in memory, with the part of Stripe's API that the service and the demo use.

    __main__      `python -m deploy.stripe_stand_in PORT`: a process of its own, for the demo
    server        the routes, and what they share: the key, idempotency, error bodies, headers
    browsers      what Stripe.js asks, with a publishable key; stripe.js is a stand-in for it
    bank_pages    the page on which a person completes 3-D Secure
    events        what happened, by Stripe's names; deliveries sends it to a webhook endpoint
    kinds         the table of kinds of object, each with its path and its calls
    parameters    reads forms and queries by the types of Stripe's own library
    lists         pagination and filters
    account       the objects of an account; their shapes are Stripe's own examples, in fixtures.json
    expansions    writes out the objects that an answer refers to
    searches      Stripe's query language, and how late it finds things
    effects       the effect of each call; longer ones are in payments, confirming, methods, billing, documents, timing,
                  usage, offers and sessions
    cards         test cards, and what their banks say
    charging      charges; settling: what follows from a payment that succeeded
    errors        Stripe's error bodies
    limits        the limits of single objects
    rights        the rights of a restricted key
    idempotency   Stripe's repeated answers

It must not accept more than Stripe: it refuses what Stripe refuses, and calls and parameters that it does not know.
The tests serve the same routes from `tests.doubles.stripe`, which adds faults. The service does not import this.
"""

KEY = "sk_test_stand_in"
PUBLISHABLE_KEY = "pk_test_stand_in"
