"""Where a value stands among those of the same season of earlier years."""
