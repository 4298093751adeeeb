"""The method's face: a day at a time, by the highest values of earlier years."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Words
from services.triggers.methods.return_period.document import ReturnPeriod
from services.triggers.methods.return_period.judgement import is_below, judge_station
from services.triggers.methods.return_period.series import StationSeries, stations
from services.triggers.methods.return_period.telling import tell_station
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import DISCHARGE, RIVER_STAGE
from shared.wording.phrase import Phrase


class ReturnPeriodMethod(AtPlaces[ReturnPeriod, StationSeries]):
    """A station is judged by the years before."""

    document = ReturnPeriod
    indicator_kinds = (DISCHARGE, RIVER_STAGE)
    words = Words(
        judged_on="the day of a discharge",
        areas="stations activate the areas that they reach within these",
        evidence="values and the levels of their return periods",
    )

    def lay_out(
        self, figures: Figures, document: ReturnPeriod, *, areas: Sequence[str]
    ) -> Sequence[StationSeries]:
        return stations(figures, document, areas=areas)

    def judge_place(self, place: StationSeries, document: ReturnPeriod, period: Period) -> Verdict:
        return judge_station(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_station(place, unit=unit)

    def is_below(self, place: StationSeries, document: ReturnPeriod, period: Period) -> bool:
        return is_below(place, document, period)


RETURN_PERIOD = ReturnPeriodMethod()
