"""Values from which a stage is reached or a shock is worse, in whatever a method measures."""

from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

Level = TypeVar("Level", bound=float)


class Direction(StrEnum):
    """On which side of a level a value is a shock."""

    HIGH = "high"
    LOW = "low"

    def reaches(self, value: float, level: float) -> bool:
        """Whether a value lies at the level or beyond it."""
        return value >= level if self is Direction.HIGH else value <= level


class Levels(BaseModel, Generic[Level]):
    """One level for each stage and severity; each method says in which unit.

    They lie in the order watch, readiness, activation, and activation, severe, extreme: the next
    at the one before or further out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    watch: Level | None = Field(default=None, description="From here on: look.")
    readiness: Level | None = Field(default=None, description="From here on: prepare.")
    activation: Level = Field(description="From here on: enrol and pay.")
    severe: Level | None = Field(
        default=None, description="From here on the shock is severe; before, moderate."
    )
    extreme: Level | None = Field(default=None, description="From here on the shock is extreme.")

    def of_stages(self) -> list[tuple[TriggerStage, Level]]:
        """The stages that have a level, the first to be reached first."""
        levels = [
            (TriggerStage.WATCH, self.watch),
            (TriggerStage.READINESS, self.readiness),
            (TriggerStage.ACTIVATION, self.activation),
        ]
        return [(stage, level) for stage, level in levels if level is not None]

    def stage(self, value: float, direction: Direction = Direction.HIGH) -> TriggerStage:
        """The furthest stage that a value reaches."""
        reached = TriggerStage.NONE
        for stage, level in self.of_stages():
            if direction.reaches(value, level):
                reached = stage
        return reached

    def severity(self, value: float, direction: Direction = Direction.HIGH) -> Severity:
        """How bad a value is."""
        if self.extreme is not None and direction.reaches(value, self.extreme):
            return Severity.EXTREME
        if self.severe is not None and direction.reaches(value, self.severe):
            return Severity.SEVERE
        return Severity.MODERATE

    def mapped(self, change: Callable[[float], float]) -> "Levels[float]":
        """The same levels in another unit."""
        levels = {name: None if level is None else change(level) for name, level in self}
        return Levels[float](**levels)

    def require_order(self, direction: Direction) -> Self:
        """Raises ValueError where a worse level is reached before a lesser one."""
        for names in (("watch", "readiness", "activation"), ("activation", "severe", "extreme")):
            given = [(name, getattr(self, name)) for name in names]
            known = [(name, level) for name, level in given if level is not None]
            for (first, nearer), (second, further) in pairwise(known):
                if not direction.reaches(further, nearer):
                    raise ValueError(
                        f"The level of {second} is reached before that of {first}. Put {second} "
                        f"at {nearer:g} or {'above' if direction is Direction.HIGH else 'below'}."
                    )
        return self


class RisingLevels(Levels[Level], Generic[Level]):
    """Levels of what is a shock where it is high."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return self.require_order(Direction.HIGH)
