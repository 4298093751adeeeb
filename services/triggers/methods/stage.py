"""The two stages that a measured shock can reach."""

from enum import StrEnum


class Stage(StrEnum):
    """Readiness means prepare; activation means enrol and pay."""

    NONE = "none"
    READINESS = "readiness"
    ACTIVATION = "activation"


class Severity(StrEnum):
    """How bad it is, in three of the words of CAP 1.2 (section 3.2.2, `severity`)."""

    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"
