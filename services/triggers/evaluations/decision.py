"""What an evaluation came to."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.triggers.methods.stage import Stage


class Outcome(StrEnum):
    """What was done about the stage that was reached."""

    NONE = "none"
    QUIET = "quiet"
    PROPOSED = "proposed"
    OPENED = "opened"
    WIDENED = "widened"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What was done, to which activation, and why in one sentence."""

    outcome: Outcome
    explanation: str
    activation_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A judgement with its effect and the numbers behind it, as they are kept."""

    judged_on: date
    stage: Stage
    effect: Effect
    evidence: dict[str, Any]
