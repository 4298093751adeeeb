"""A trigger's activation, as far as what is done about evidence depends on it: a plain value."""

from dataclasses import dataclass
from uuid import UUID

from services.triggers.activations.states import LIVE, Origin, State
from services.triggers.methods.judgement import Period
from services.triggers.methods.severity import Severity


@dataclass(frozen=True, kw_only=True)
class KnownActivation:
    """One of a trigger's activations."""

    id: UUID
    trigger_version: int
    state: State
    origin: Origin
    severity: Severity
    evidence: Period
    areas: frozenset[str]
    """Those that it has, announced or waiting."""
    declined: frozenset[str] = frozenset()
    """Those that evidence named, and a person declined."""
    is_unweighed: bool = False
    """Whether what it would pay, or some areas of it, has still to be held against its ceiling."""
    is_doubted: bool = False
    """Whether it was noted already that later figures would not have let it begin."""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE
