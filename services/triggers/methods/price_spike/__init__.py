"""A spike of the national monthly price of a staple."""
