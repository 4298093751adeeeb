"""The method's face: a day at a time, by the rain of the days up to it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Words
from services.triggers.methods.places import PlaceSeries, place_series
from services.triggers.methods.rainfall_total.document import MAXIMUM_DAYS, RainfallTotal
from services.triggers.methods.rainfall_total.judgement import is_below, judge_rain
from services.triggers.methods.rainfall_total.telling import tell_rain
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import RAINFALL
from shared.wording.phrase import Phrase


class RainfallTotalMethod(AtPlaces[RainfallTotal, PlaceSeries]):
    """A place is judged by the sum of its last days."""

    document = RainfallTotal
    indicator_kinds = (RAINFALL,)
    words = Words(
        judged_on="the last day of rain",
        areas="rain activates the areas of its figures, or that its stations reach, within these",
        evidence="millimetres and the days that are missing",
    )

    def lay_out(
        self, figures: Figures, document: RainfallTotal, *, areas: Sequence[str]
    ) -> Sequence[PlaceSeries]:
        return place_series(figures, named=document.named, reaches=document.reaches, areas=areas)

    def used(self, period: Period) -> Period:
        """The days that a total can reach back to."""
        first_on = period.first_on - timedelta(days=MAXIMUM_DAYS - 1)
        return Period(first_on=first_on, last_on=period.last_on)

    def judge_place(self, place: PlaceSeries, document: RainfallTotal, period: Period) -> Verdict:
        return judge_rain(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_rain(place)

    def is_below(self, place: PlaceSeries, document: RainfallTotal, period: Period) -> bool:
        return is_below(place, document, period)


RAINFALL_TOTAL = RainfallTotalMethod()
