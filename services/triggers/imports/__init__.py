"""Files that a person sends by hand in place of what a feed would have pulled."""
