"""Which requests are let in, and as whom."""
