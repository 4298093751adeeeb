"""Whether the worker's loops may have something to do."""
