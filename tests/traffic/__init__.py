"""A simulator of the traffic to Stripe, in virtual time: `python -m tests.traffic`."""
