"""A method of the tests' own: a forecast level at a gauge, against a threshold."""
