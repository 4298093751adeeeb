"""The method's face: a month at a time, by the medians over the markets."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Method, Order, Words
from services.triggers.methods.price_spike import repository
from services.triggers.methods.price_spike.document import PriceSpike
from services.triggers.methods.price_spike.evidence import evidence, finding
from services.triggers.methods.price_spike.indicator import PRICE
from services.triggers.methods.price_spike.judgement import judge_price, why_rearmed
from services.triggers.methods.price_spike.series import (
    NationalMonth,
    month_after,
    months_between,
    national_prices,
)


class PriceSpikeMethod(Method[PriceSpike, Sequence[NationalMonth]]):
    """A period is one month, dated the first of it."""

    document = PriceSpike
    indicator_kind = PRICE
    widens = False
    words = Words(
        judged_on="the month of a price",
        areas="a national price activates these areas",
        evidence="prices, markets, ALPS and IFPA",
    )

    async def read(
        self, session: AsyncSession, indicator: str, *, changed: Period
    ) -> Sequence[NationalMonth]:
        """Every month: a trend is fitted over all of them."""
        return await repository.national_months(session, indicator)

    def due(
        self,
        series: Sequence[NationalMonth],
        document: PriceSpike,
        *,
        areas: Sequence[str],
        changed: Period,
        oldest_on: date,
    ) -> list[Period]:
        """The months from the first changed one on: its price is in all later forecasts."""
        return [
            Period(first_on=entry.month, last_on=entry.month)
            for entry in series
            if entry.month >= changed.first_on.replace(day=1)
            and month_after(entry.month, months=1) - timedelta(days=1) >= oldest_on
        ]

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
