"""A trigger's latest activation, as far as what follows it depends on it: a plain value."""

from dataclasses import dataclass
from uuid import UUID

from services.triggers.activations.states import LIVE, State
from services.triggers.methods.judgement import Period


@dataclass(frozen=True, kw_only=True)
class LatestActivation:
    """The live activation of a trigger, else the one with the latest evidence."""

    id: UUID
    state: State
    evidence: Period
    areas: frozenset[str]
    """Those that it has, announced or waiting."""
    declined: frozenset[str] = frozenset()
    """Those that evidence named, and a person declined."""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE
