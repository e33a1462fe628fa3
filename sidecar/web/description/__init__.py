"""The service's own OpenAPI description."""
