"""The method's face: a month at a time, by the rain of the same months of earlier years."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Words
from services.triggers.methods.standardised_precipitation.document import (
    StandardisedPrecipitation,
)
from services.triggers.methods.standardised_precipitation.judgement import is_back, judge_months
from services.triggers.methods.standardised_precipitation.series import RainSeries, rain
from services.triggers.methods.standardised_precipitation.telling import tell_months
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import RAINFALL
from shared.wording.phrase import Phrase


class StandardisedPrecipitationMethod(AtPlaces[StandardisedPrecipitation, RainSeries]):
    """A place is judged by the same months of its earlier years."""

    document = StandardisedPrecipitation
    indicator_kinds = (RAINFALL,)
    judges_by = Frequency.MONTH
    calendar = Calendar(frequency=Frequency.MONTH, waits_days=10)
    words = Words(
        judged_on="the last month of rain",
        areas="the SPI activates the areas of its figures, or that stations reach, within these",
        evidence="SPI, millimetres and the fit of earlier years",
    )

    def lay_out(
        self, figures: Figures, document: StandardisedPrecipitation, *, areas: Sequence[str]
    ) -> Sequence[RainSeries]:
        return rain(figures, document, areas=areas)

    def judge_place(
        self, place: RainSeries, document: StandardisedPrecipitation, period: Period
    ) -> Verdict:
        return judge_months(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_months(place)

    def is_below(
        self, place: RainSeries, document: StandardisedPrecipitation, period: Period
    ) -> bool:
        return is_back(place, document, period)


STANDARDISED_PRECIPITATION = StandardisedPrecipitationMethod()
