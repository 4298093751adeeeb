"""The method's face: a day to come at a time, by the forecasts of it that were issued."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.triggers.methods.at_places import AtPlaces
from services.triggers.methods.ensemble_share.document import EnsembleShare
from services.triggers.methods.ensemble_share.judgement import is_below, judge_ensemble
from services.triggers.methods.ensemble_share.series import EnsembleSeries, ensembles
from services.triggers.methods.ensemble_share.telling import tell_forecast
from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Words
from services.triggers.methods.verdicts import Verdict
from services.triggers.methods.water import DISCHARGE, RAINFALL, RIVER_STAGE
from shared.wording.phrase import Phrase


class EnsembleShareMethod(AtPlaces[EnsembleShare, EnsembleSeries]):
    """A period is what is forecast: a day, or several together."""

    document = EnsembleShare
    indicator_kinds = (DISCHARGE, RIVER_STAGE, RAINFALL)
    reads_forecasts = True
    words = Words(
        judged_on="the day that is forecast",
        areas="forecasts activate the areas that their places reach within these",
        evidence="shares of members by issue and lead time",
    )

    def lay_out(
        self, figures: Figures, document: EnsembleShare, *, areas: Sequence[str]
    ) -> Sequence[EnsembleSeries]:
        return ensembles(figures, document, areas=areas)

    def used(self, period: Period) -> Period:
        """The forecasts of the period itself."""
        return period

    def judge(
        self,
        series: Sequence[EnsembleSeries],
        document: EnsembleShare,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        """As of any place; the evidence's `probability` is that with which the rule is met.

        It is the share that as many places have, or more, as the rule asks for.
        """
        judgement = super().judge(series, document, period=period, areas=areas)
        shares = sorted(
            (
                place["probability"]
                for place in judgement.evidence["places"]
                if "probability" in place
            ),
            reverse=True,
        )
        enough = len(shares) >= document.at_least_places
        judgement.evidence["probability"] = shares[document.at_least_places - 1] if enough else None
        return judgement

    def judge_place(
        self, place: EnsembleSeries, document: EnsembleShare, period: Period
    ) -> Verdict:
        return judge_ensemble(place, document, period)

    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        return tell_forecast(place, unit=unit)

    def is_below(self, place: EnsembleSeries, document: EnsembleShare, period: Period) -> bool:
        return is_below(place, document, period)


ENSEMBLE_SHARE = EnsembleShareMethod()
