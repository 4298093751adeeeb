"""Whether a figure can be meant: pure functions over what is posted and what is known."""
