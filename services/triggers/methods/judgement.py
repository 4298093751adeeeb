"""What the data say of one period: a plain value, the same for every method."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class Period:
    """The days that a judgement, or the evidence of an activation, is about; both ends count."""

    first_on: date
    last_on: date


@dataclass(frozen=True, kw_only=True)
class Lapse:
    """Days that time alone makes due: something said before ended, or nobody said any more."""

    on: date
    """The day on which they are judged, if nothing that is published until then changes it."""
    period: Period


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One period, judged. It knows nothing of activations.

    `areas` are those that the evidence reaches, by code. `finding` is a sentence or two for
    people. `evidence` holds the numbers that decided, ready to be kept as JSON. Where the figures
    do not let a period be judged, `unjudged` says why and the stage is none: that is no calm.
    """

    period: Period
    stage: TriggerStage
    severity: Severity
    areas: tuple[str, ...]
    finding: str
    evidence: dict[str, Any]
    unjudged: str | None = None
