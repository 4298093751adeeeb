"""What several places say together: so many of them decide, and a silent one is not calm."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.triggers.methods.places import Site
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one place says of a period. `says` and `numbers` are for people, and for the record."""

    site: Site
    says: str
    stage: TriggerStage = TriggerStage.NONE
    severity: Severity = Severity.MODERATE
    numbers: dict[str, Any] = field(default_factory=dict)
    is_unjudged: bool = False
    """Whether its figures do not let it be judged, as `says` says."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """What the places say together."""

    stage: TriggerStage
    severity: Severity
    areas: tuple[str, ...]
    reached_by: int
    unjudged: str | None


def common(verdicts: Sequence[Verdict], *, at_least_places: int) -> Common:
    """The furthest stage that so many places reach.

    None is the answer only where it would stand whatever the places that cannot be judged might
    have said; otherwise it is `unjudged`.
    """
    stage = max(
        (
            stage
            for stage in TriggerStage
            if sum(verdict.stage.rank >= stage.rank for verdict in verdicts) >= at_least_places
        ),
        key=lambda stage: stage.rank,
        default=TriggerStage.NONE,
    )
    if stage is TriggerStage.NONE:
        return Common(
            stage=stage,
            severity=Severity.MODERATE,
            areas=(),
            reached_by=0,
            unjudged=_why_unjudged(verdicts, at_least_places=at_least_places),
        )
    reaching = [verdict for verdict in verdicts if verdict.stage.rank >= stage.rank]
    return Common(
        stage=stage,
        severity=max((verdict.severity for verdict in reaching), key=lambda each: each.rank),
        areas=tuple(sorted({area for verdict in reaching for area in verdict.site.areas})),
        reached_by=len(reaching),
        unjudged=None,
    )


_PLACES_TOLD = 3


def _why_unjudged(verdicts: Sequence[Verdict], *, at_least_places: int) -> str | None:
    if len(verdicts) < at_least_places:
        return (
            f"{len(verdicts)} places have figures, and {at_least_places} are needed to reach a "
            "stage."
        )
    silent = [verdict for verdict in verdicts if verdict.is_unjudged]
    high = sum(verdict.stage is not TriggerStage.NONE for verdict in verdicts)
    if high + len(silent) < at_least_places:
        return None
    told = " ".join(verdict.says for verdict in silent[:_PLACES_TOLD])
    more = len(silent) - _PLACES_TOLD
    return told if more <= 0 else f"{told} So with {more} more."
