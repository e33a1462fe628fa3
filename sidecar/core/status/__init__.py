"""What belongs to a customer at Stripe and stands in fields of its item, where it can decide who may read what."""
