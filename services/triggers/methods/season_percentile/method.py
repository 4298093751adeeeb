"""The method's face: a day, a dekad or a month at a time, by its season in earlier years."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Words
from services.triggers.methods.places import PlaceSeries, place_series
from services.triggers.methods.season_percentile.document import SeasonPercentile
from services.triggers.methods.season_percentile.judgement import is_back, judge_place
from services.triggers.methods.season_percentile.telling import tell_season
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import DISCHARGE, RAINFALL, RIVER_STAGE
from shared.wording.phrase import Phrase


class SeasonPercentileMethod(AtPlaces[SeasonPercentile, PlaceSeries]):
    """A place is judged by the same season of its earlier years."""

    document = SeasonPercentile
    indicator_kinds = (RIVER_STAGE, DISCHARGE, RAINFALL)
    words = Words(
        judged_on="the last day of a period of water or rain",
        areas="percentiles activate the areas of their figures, or that their stations reach, "
        "within these",
        evidence="values and their percentiles",
    )

    def lay_out(
        self, figures: Figures, document: SeasonPercentile, *, areas: Sequence[str]
    ) -> Sequence[PlaceSeries]:
        return place_series(figures, named=document.named, reaches=document.reaches, areas=areas)

    def judge_place(
        self, place: PlaceSeries, document: SeasonPercentile, period: Period
    ) -> Verdict:
        return judge_place(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_season(place, unit=unit)

    def is_below(self, place: PlaceSeries, document: SeasonPercentile, period: Period) -> bool:
        return is_back(place, document, period)


SEASON_PERCENTILE = SeasonPercentileMethod()
