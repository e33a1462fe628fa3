"""Stripe's API over HTTP, and the events that it sends."""
