"""How many members of a forecast ensemble lie above a level, for so many issues running."""
