"""Pieces of SQL about budget lines."""

LINE_ROOM = """
    SELECT budget_line.ceiling_minor + coalesce(account.debits_minor - account.credits_minor, 0)
        AS room_minor
    FROM payments.budget_line
    LEFT JOIN payments.account ON account.code = 'LINE_OPEN'
        AND account.scope = budget_line.fund || '/' || budget_line.code
    WHERE true
"""
"""What a line has room for: its ceiling without what is committed and spent on it, which is what
``LINE_OPEN`` is in credit by. Further conditions name the line."""
