"""A pytest plugin: property tests try few examples, always the same ones, so that a second run has the same score."""

from hypothesis import settings

settings.register_profile("mutants", max_examples=30, deadline=None, derandomize=True, database=None)
settings.load_profile("mutants")
