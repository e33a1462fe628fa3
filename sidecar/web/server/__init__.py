"""Connections and the server's life."""
