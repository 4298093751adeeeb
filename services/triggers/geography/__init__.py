"""Where a shape lies: polygons laid over the boundaries of the country's communes."""
