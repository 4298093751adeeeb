"""What a judgement held against its thresholds, as numbers to be drawn: a plain value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.wording.phrase import Phrase


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of a judgement, with the levels from which a stage is reached; None: unknown."""

    name: Phrase
    value: float | None
    activation: float | None = None
    readiness: float | None = None


def measured_of(
    name: Phrase, value: Any, *, thresholds: Mapping[str, Any], threshold: str
) -> Measured:
    """A number of some evidence, with what its thresholds call ``threshold``."""
    levels = {
        stage: number_in((thresholds.get(stage) or {}).get(threshold))
        for stage in ("activation", "readiness")
    }
    return Measured(name=name, value=number_in(value), **levels)


def plainly_measured(evidence: Mapping[str, Any]) -> Sequence[Measured]:
    """The ``probability`` or the ``value`` that evidence keeps, of a method that says no more.

    The levels are the numbers of the same name, or called ``level``, of its thresholds' stages.
    """
    thresholds = evidence.get("thresholds")
    if not isinstance(thresholds, Mapping):
        thresholds = {}
    for key, name in (
        ("probability", Phrase("probability", "ប្រូបាប")),
        ("value", Phrase("value", "តម្លៃ")),
    ):
        if key in evidence:
            stages = thresholds.get("levels") or thresholds
            levels = {
                stage: _level(stages.get(stage), key) for stage in ("activation", "readiness")
            }
            return [Measured(name=name, value=number_in(evidence[key]), **levels)]
    return []


def number_in(value: Any) -> float | None:
    """A number as evidence keeps it; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _level(stage: Any, key: str) -> float | None:
    if isinstance(stage, Mapping):
        return number_in(stage.get(key, stage.get("level")))
    return number_in(stage)
