"""Decides: plain functions over frozen dataclasses, without network, event loop, clock or environment."""
