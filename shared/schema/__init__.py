"""A schema as Python declares it, as the catalogs describe it, and where the two part."""
