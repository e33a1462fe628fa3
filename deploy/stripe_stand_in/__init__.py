"""A stand-in for Stripe: an account in memory, with the part of Stripe's API that the service and the demo use.

    __main__      `python -m deploy.stripe_stand_in PORT`: a process of its own, for the demo
    server        the routes, and what they share: the key, idempotency, error bodies, headers
    kinds         the table of kinds of object, each with its path and its calls
    parameters    reads forms and queries by the types of Stripe's own library
    lists         pagination and filters
    account       the objects of an account; their shapes are Stripe's own examples, in fixtures.json
    effects       the effect of each call; longer ones are in payments, billing and sessions
    errors        Stripe's error bodies
    limits        the limits of single objects
    rights        the rights of a restricted key
    idempotency   Stripe's repeated answers

It must not accept more than Stripe: it refuses what Stripe refuses, and calls and parameters that it does not know.
The tests serve the same routes from `tests.doubles.stripe`, which adds faults. The service does not import this.
"""

KEY = "sk_test_stand_in"
