"""The witnesses: each reads what the services cannot alter in passing, and gives plain records."""
