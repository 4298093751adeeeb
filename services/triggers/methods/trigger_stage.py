"""How far a trigger has come: not to be confused with the stage of a river."""

from enum import StrEnum


class TriggerStage(StrEnum):
    """Readiness means prepare; activation means enrol and pay."""

    NONE = "none"
    READINESS = "readiness"
    ACTIVATION = "activation"
