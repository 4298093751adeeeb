"""The share of an area that is under water."""
