"""What a request carries, read strictly."""
