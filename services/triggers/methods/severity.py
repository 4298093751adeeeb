"""How bad a shock is."""

from enum import StrEnum


class Severity(StrEnum):
    """Three of the words of CAP 1.2 (section 3.2.2, `severity`), the least first."""

    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        """0 for moderate, one more for each that is worse."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
