"""Classifications by area and authority, in the order of their days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.triggers.areas import shared_by
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.phase.indicator import PhaseDetails


@dataclass(frozen=True, kw_only=True)
class Classified:
    """One authority's classification of one area."""

    day: date
    phase: int
    population_share: float | None


@dataclass(frozen=True, kw_only=True)
class AreaPhases:
    """All that one authority said of one area, the oldest first."""

    area: str
    within: tuple[str, ...]
    """What of the area the trigger acts in."""
    source: str
    classified: tuple[Classified, ...]

    def latest_in(self, period: Period) -> Classified | None:
        """The last of a period; None: the area was not classified in it."""
        return self._last(period.first_on, period.last_on)

    def before(self, latest: Classified, *, within_days: int) -> Classified | None:
        """The one before another, if it is not older than so many days."""
        one_day = timedelta(days=1)
        return self._last(latest.day - timedelta(days=within_days), latest.day - one_day)

    def _last(self, first_on: date, last_on: date) -> Classified | None:
        return next(
            (each for each in reversed(self.classified) if first_on <= each.day <= last_on), None
        )


def phases_of(figures: Figures, *, areas: Sequence[str]) -> list[AreaPhases]:
    """The classifications of the areas that concern a trigger; one without a phase is none."""
    by_area: dict[tuple[str, str], list[Classified]] = defaultdict(list)
    for figure in figures.rows:
        if figure.value is None:
            continue
        details = PhaseDetails.model_validate(figure.details or {})
        by_area[figure.area, figure.source].append(
            Classified(
                day=figure.observed_on,
                phase=int(figure.value),
                population_share=details.population_share,
            )
        )
    return [
        AreaPhases(
            area=area,
            within=within,
            source=source,
            classified=tuple(sorted(classified, key=lambda each: each.day)),
        )
        for (area, source), classified in sorted(by_area.items())
        if (within := shared_by([area], areas))
    ]
