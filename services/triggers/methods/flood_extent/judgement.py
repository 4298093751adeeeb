"""When water on the land is a shock.

Each source is judged by itself, since two satellites see the same water: the one that sees most
decides on the stage, and the areas are those that any of them shows flooded enough. What nobody
saw within the days that count cannot be judged, which is no calm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.triggers.methods.flood_extent.document import ExtentThresholds, FloodExtent
from services.triggers.methods.flood_extent.series import Extent, last_seen
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class SourceExtent:
    """What one source shows of a day, each area as it was last seen."""

    source: str
    extents: tuple[Extent, ...]
    flooded: tuple[Extent, ...]
    """Those that are flooded enough."""
    stage: TriggerStage
    is_extreme: bool

    @property
    def flooded_km2(self) -> float:
        """Over all areas of which it is known."""
        return sum(extent.flooded_km2 or 0 for extent in self.extents)


@dataclass(frozen=True, kw_only=True)
class ExtentJudgement:
    """One day, judged."""

    sources: tuple[SourceExtent, ...]

    @property
    def most(self) -> SourceExtent | None:
        """The source that shows most; None: no area was seen."""
        return max(
            self.sources,
            key=lambda seen: (seen.stage.rank, len(seen.flooded), seen.flooded_km2),
            default=None,
        )

    @property
    def stage(self) -> TriggerStage:
        """What the source that shows most reaches; without an area it comes to readiness only."""
        if self.most is None:
            return TriggerStage.NONE
        if self.most.stage is TriggerStage.ACTIVATION and not self.areas:
            return TriggerStage.READINESS
        return self.most.stage

    @property
    def severity(self) -> Severity:
        is_extreme = self.most is not None and self.most.is_extreme
        return Severity.EXTREME if is_extreme else Severity.SEVERE

    @property
    def areas(self) -> tuple[str, ...]:
        """Those that any source shows flooded enough."""
        return tuple(sorted({extent.area for seen in self.sources for extent in seen.flooded}))

    @property
    def unjudged(self) -> str | None:
        """Why the day says nothing; None: it does."""
        return None if self.sources else "No area was seen within the days that count."


def judge_extents(
    extents: Sequence[Extent], day: date, *, document: FloodExtent
) -> ExtentJudgement:
    """Judge a day by what was last seen."""
    seen = last_seen(extents, day, within_days=document.seen_within_days)
    return ExtentJudgement(
        sources=tuple(
            _judge_source(source, of_source, document=document)
            for source, of_source in seen.items()
        )
    )


def _judge_source(
    source: str, extents: tuple[Extent, ...], *, document: FloodExtent
) -> SourceExtent:
    flooded = tuple(extent for extent in extents if extent.share >= document.area_threshold_share)
    km2 = sum(extent.flooded_km2 or 0 for extent in extents)

    def holds(thresholds: ExtentThresholds | None) -> bool:
        return thresholds is not None and _holds(thresholds, areas=len(flooded), km2=km2)

    stage = TriggerStage.NONE
    if holds(document.activation):
        stage = TriggerStage.ACTIVATION
    elif holds(document.readiness):
        stage = TriggerStage.READINESS
    return SourceExtent(
        source=source,
        extents=extents,
        flooded=flooded,
        stage=stage,
        is_extreme=holds(document.extreme_from),
    )


def _holds(thresholds: ExtentThresholds, *, areas: int, km2: float) -> bool:
    enough_areas = thresholds.areas is not None and areas >= thresholds.areas
    enough_water = thresholds.flooded_km2 is not None and km2 >= thresholds.flooded_km2
    return enough_areas or enough_water
