"""Lets in. aiohttp's server side lives here alone; what a request may do is decided in core."""
