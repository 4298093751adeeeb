"""Extents by source: how much of each area was last seen under water."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.areas import lies_within
from services.triggers.methods.figures import Figures
from services.triggers.methods.flood_extent.indicator import ExtentDetails


@dataclass(frozen=True, kw_only=True)
class Extent:
    """One area as one source saw it on one day."""

    area: str
    source: str
    seen_on: date
    share: float
    flooded_km2: float | None


def extents_of(figures: Figures, *, areas: Sequence[str]) -> list[Extent]:
    """What was seen of the areas that lie in the trigger's, by day; what was not seen is left out.

    An area that is larger than the trigger's is left out as well: the share says nothing of where
    in it the water is.
    """
    extents = [
        Extent(
            area=figure.area,
            source=figure.source,
            seen_on=figure.observed_on,
            share=figure.value,
            flooded_km2=ExtentDetails.model_validate(figure.details or {}).flooded_km2,
        )
        for figure in figures.rows
        if figure.value is not None and lies_within(figure.area, areas)
    ]
    return sorted(extents, key=lambda extent: (extent.seen_on, extent.source, extent.area))


def last_seen(
    extents: Sequence[Extent], day: date, *, within_days: int
) -> dict[str, tuple[Extent, ...]]:
    """By source, each area as it was last seen within so many days up to one."""
    first_on = day - timedelta(days=within_days - 1)
    latest: dict[tuple[str, str], Extent] = {
        (extent.source, extent.area): extent
        for extent in extents
        if first_on <= extent.seen_on <= day
    }
    sources = sorted({source for source, _ in latest})
    return {
        source: tuple(latest[key] for key in sorted(latest) if key[0] == source)
        for source in sources
    }
