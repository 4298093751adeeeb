"""What the legs of a trigger come to together: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.definitions.document import AtLeast, TriggerDocument
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The stage that enough legs reach, with what those say that reach it."""

    stage: TriggerStage
    severity: Severity
    areas: tuple[str, ...]
    finding: str
    is_judged: bool
    """Whether enough legs could be judged to say that it is not higher."""


def joined(document: TriggerDocument, latest: Mapping[int, Judgement], *, on: date) -> Joined:
    """Join the latest judgements of the legs, by position, on a day.

    A leg's judgement holds as long as the leg says after the last day that it is about. The
    areas are those of all the legs that reach the stage, and so is the severity: the worst.
    """
    holding = {
        position: judgement
        for position, judgement in latest.items()
        if len(document.legs) == 1
        or on <= judgement.period.last_on + timedelta(days=document.legs[position].holds_days)
    }
    needed = _needed(document)
    stages = sorted((held.stage for held in holding.values()), key=lambda stage: -stage.rank)
    stage = stages[needed - 1] if len(stages) >= needed else TriggerStage.NONE
    reaching = [
        holding[position]
        for position in sorted(holding)
        if holding[position].stage.rank >= stage.rank and stage is not TriggerStage.NONE
    ]
    said = reaching or [holding[position] for position in sorted(holding)]
    unknown = len(document.legs) - sum(held.unjudged is None for held in holding.values())
    at_most = sum(held.stage is not TriggerStage.NONE for held in holding.values()) + unknown
    return Joined(
        stage=stage,
        severity=max((held.severity for held in said), key=lambda severity: severity.rank),
        areas=tuple(sorted({area for held in reaching for area in held.areas})),
        finding=" ".join(held.finding for held in said),
        is_judged=at_most < needed,
    )


def _needed(document: TriggerDocument) -> int:
    """How many legs have to reach a stage for the trigger to reach it."""
    if isinstance(document.join, AtLeast):
        return document.join.at_least
    return 1 if document.join == "any" else len(document.legs)
