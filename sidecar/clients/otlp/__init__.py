"""Sends spans to a collector. Loaded only where an operator names one; all others know `sidecar.tracing` alone."""
