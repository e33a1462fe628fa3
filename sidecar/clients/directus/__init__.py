"""Directus over HTTP and its WebSocket."""
