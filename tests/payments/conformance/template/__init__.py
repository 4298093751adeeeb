"""A whole adapter, to be copied: docs/adapters.md says how."""
