"""Search: an index of every entity, built into each snapshot, and what is asked of it."""
