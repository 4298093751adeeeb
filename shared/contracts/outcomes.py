"""The body of a chunk's outcomes: CSV (RFC 4180) without a header, one row an entitlement.

``outcome`` is ``paid``, ``failed`` or ``unpayable``; ``reason`` is the provider's error code or
ours, or empty; ``finished_at`` is ISO 8601. ``unpayable`` is what payments set aside and could not
send at all: ``unknown-provider``, ``other-currency``, ``no-amount`` or ``above-maximum``.
"""

COLUMNS = ("entitlement_id", "outcome", "reason", "finished_at")
MEDIA_TYPE = "text/csv; charset=utf-8; header=absent"
