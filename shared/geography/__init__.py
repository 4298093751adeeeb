"""Outlines of the country's areas, as they come with the product: two services look at them."""
