"""Lists at Stripe, read whole or by the page."""
