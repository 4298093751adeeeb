"""How well persons who are registered twice are found: planted duplicates, with the truth."""
