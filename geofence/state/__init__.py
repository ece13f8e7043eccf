"""State: what is remembered of devices between batches."""
