"""The method's face: a month at a time, by the medians over the markets."""

from collections.abc import Sequence
from datetime import date

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.price_spike.document import PriceSpike
from services.triggers.methods.price_spike.evidence import evidence, finding
from services.triggers.methods.price_spike.indicator import PRICE
from services.triggers.methods.price_spike.judgement import judge_price, why_rearmed
from services.triggers.methods.price_spike.series import (
    NationalMonth,
    months_between,
    national_months,
    national_prices,
)


class PriceSpikeMethod(Method[PriceSpike, Sequence[NationalMonth]]):
    """A period is one month, judged by its national price."""

    document = PriceSpike
    indicator_kinds = (PRICE,)
    widens = False
    words = Words(
        judged_on="the month of a price",
        areas="a national price activates these areas",
        evidence="prices, markets, ALPS and IFPA",
    )

    def lay_out(
        self, figures: Figures, document: PriceSpike, *, areas: Sequence[str]
    ) -> Sequence[NationalMonth]:
        return national_months(figures)

    def used(self, period: Period) -> Period:
        """Every month so far: a trend is fitted over all of them."""
        return Period(first_on=date.min, last_on=period.last_on)

    def judge(
        self,
        series: Sequence[NationalMonth],
        document: PriceSpike,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        prices = national_prices(series, minimum_markets=document.minimum_markets)
        judgement = judge_price(prices, period.first_on, document=document)
        return Judgement(
            period=period,
            stage=judgement.stage,
            severity=judgement.severity,
            areas=tuple(areas),
            finding=finding(judgement, document=document),
            evidence=evidence(series, judgement, document=document),
            unjudged=judgement.unjudged,
        )

    def continues(
        self,
        series: Sequence[NationalMonth],
        document: PriceSpike,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        fired = earlier.last_on
        rearmed = why_rearmed(
            national_prices(series, minimum_markets=document.minimum_markets),
            fired=fired,
            month=period.first_on,
            document=document,
        )
        if rearmed is not None:
            return Continuation(order=Order.LATER, because=rearmed)
        return Continuation(
            order=Order.SAME, because=f"The trigger is quiet: it fired for {fired:%Y-%m} already."
        )

    def is_over(self, document: PriceSpike, *, evidence_to: date, on: date) -> bool:
        return months_between(evidence_to, on) >= document.rearm.after_months


PRICE_SPIKE = PriceSpikeMethod()
