"""Cash, paid out by hand from a list that people sign."""
