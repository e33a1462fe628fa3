"""What happens in which order, over the seams of `core.interfaces`."""
