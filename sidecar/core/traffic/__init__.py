"""Whose call goes next, and how many may go: fair turns between callers, and rates. No clock, no network."""
