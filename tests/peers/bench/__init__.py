"""What `scripts/bench-peers` is made of: whom it measures, how, and what it tells of it."""
