"""What replicas share: a fast memory that never decides. Away or unreadable, each replica does what it does alone."""
