"""How a request ended: a label of metrics, and what a 503 names as its `reason`."""

from enum import StrEnum


class Outcome(StrEnum):
    DONE = "done"
    BROKEN = "broken"  # the client left, or an answer that had begun could not be finished
    INVALID = "invalid"
    REFUSED = "refused"
    CALLER = "caller"  # one caller asks for too much at once
    CAPACITY = "capacity"  # all callers together do
    DIRECTUS = "directus"
    EVENT = "event"
    STRIPE = "stripe"
    STRIPE_INPUT = "stripe_input"  # Stripe does not take what the caller sent
    STRIPE_KEY = "stripe_key"
    STRIPE_RATE = "stripe_rate"
    FAULT = "fault"  # of this service
