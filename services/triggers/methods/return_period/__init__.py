"""The water at stations against the level that is reached once in so many years."""
