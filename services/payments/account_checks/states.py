"""How checking an account for a household ended."""

from enum import StrEnum


class AccountOutcome(StrEnum):
    PASSED = "passed"
    """It can be paid, and whose it is was not asked, is alike enough, or was let go by persons."""
    DOUBTED = "doubted"
    """Its holder is not called like the household: payments to it are held for persons."""
    CLOSED = "closed"
    """It cannot be paid: payments to it are rejected, and nothing leaves."""
