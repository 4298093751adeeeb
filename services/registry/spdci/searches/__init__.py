"""Searches: criteria as the standard writes them, over households and their members."""
