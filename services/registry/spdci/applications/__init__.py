"""The standard's two registers as applications of their own, and what they have in common."""
