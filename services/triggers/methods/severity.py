"""How bad a shock is."""

from enum import StrEnum


class Severity(StrEnum):
    """Three of the words of CAP 1.2 (section 3.2.2, `severity`)."""

    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"
