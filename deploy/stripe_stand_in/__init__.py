"""A stand-in for Stripe: an account in memory behind Stripe's own API, as far as the service and the demo use it.

    __main__      `python -m deploy.stripe_stand_in PORT`: a process of its own, for the demo
    server        every route, and what all of them share: the key, idempotency, error bodies, headers
    kinds         every kind of object as one table: where it is and what can be done to it
    parameters    what is sent: forms and queries, read by the types of Stripe's own library
    lists         pages and filters
    account       the objects of an account; their shapes are Stripe's own examples, in fixtures.json
    effects       which call makes or changes what; the longer ones are in payments, billing and sessions
    errors        how Stripe refuses a request
    idempotency   when Stripe repeats an answer

It must be no kinder than Stripe: it refuses what Stripe refuses, and it refuses calls and parameters it does not know.
The tests serve the same routes from `tests.doubles.stripe`, which adds faults. Nothing in `sidecar` imports this.
"""

KEY = "sk_test_stand_in"
