"""The water at gauges against levels of their own, for so many days in a row."""
