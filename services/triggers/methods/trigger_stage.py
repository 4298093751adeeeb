"""How far a trigger has come: not to be confused with the stage of a river."""

from enum import StrEnum


class TriggerStage(StrEnum):
    """Watch means look; readiness means prepare; activation means enrol and pay. In this order."""

    NONE = "none"
    WATCH = "watch"
    READINESS = "readiness"
    ACTIVATION = "activation"

    @property
    def rank(self) -> int:
        """0 for none, one more for each stage."""
        return _RANKS[self]


_RANKS = {stage: rank for rank, stage in enumerate(TriggerStage)}
