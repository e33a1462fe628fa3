"""Decides. Plain functions over frozen dataclasses: no network, no event loop, no clock, no environment."""
