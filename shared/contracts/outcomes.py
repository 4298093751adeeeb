"""The body of a chunk's outcomes: CSV (RFC 4180) without a header, one row an entitlement.

``outcome`` is ``paid`` or ``failed``; ``reason`` is the provider's error code, or empty;
``finished_at`` is ISO 8601.
"""

COLUMNS = ("entitlement_id", "outcome", "reason", "finished_at")
MEDIA_TYPE = "text/csv; charset=utf-8; header=absent"
