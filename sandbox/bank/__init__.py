"""A bank that takes files of payments, misbehaves, and keeps its own book."""
