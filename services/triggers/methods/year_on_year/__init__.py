"""A price or a national series against the same month of the year before."""
