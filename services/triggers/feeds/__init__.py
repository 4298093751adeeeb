"""Feeds: what is published somewhere, fetched by schedule and recorded as it was published."""
