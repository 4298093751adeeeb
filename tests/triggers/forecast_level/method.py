"""All of the method: what another one needs beside a line in the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from services.triggers.areas import lies_within
from services.triggers.methods.figures import Figures
from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Method, MethodDocument, Order, Words
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage


class GaugeForecast(MethodDocument):
    """A level that is forecast to reach a threshold."""

    kind: Literal["forecast-level"]
    from_metres: Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The level at a gauge's area on a day, as it was last forecast, in metres."""

    area: str
    day: date
    issued_on: date
    metres: float


def faults_of(row: PostedRow) -> list[RowFault]:
    return [] if row.value is not None else [RowFault("value", "A level is a number.")]


WATER_LEVEL = IndicatorKind(
    code="water_level",
    says="metres at a gauge",
    dated="the day of a level",
    faults_of=faults_of,
)


class ForecastLevelMethod(Method[GaugeForecast, Sequence[Forecast]]):
    """A period is one day."""

    document = GaugeForecast
    indicator_kinds = (WATER_LEVEL,)
    reads_forecasts = True
    widens = True
    words = Words(
        judged_on="the day of a level",
        areas="forecast levels activate the areas of their gauges",
        evidence="levels",
    )

    def lay_out(
        self, figures: Figures, document: GaugeForecast, *, areas: Sequence[str]
    ) -> Sequence[Forecast]:
        latest = {
            (figure.area, figure.observed_on): Forecast(
                area=figure.area,
                day=figure.observed_on,
                issued_on=figure.published_on,
                metres=figure.value or 0,
            )
            for figure in sorted(figures.rows, key=lambda figure: figure.published_on)
        }
        return list(latest.values())

    def events(
        self, series: Sequence[Forecast], document: GaugeForecast, *, changed: Period
    ) -> list[Period]:
        days = sorted({forecast.day for forecast in series})
        return [
            Period(first_on=day, last_on=day)
            for day in days
            if changed.first_on <= day <= changed.last_on
        ]

    def judge(
        self,
        series: Sequence[Forecast],
        document: GaugeForecast,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        high = [
            forecast
            for forecast in series
            if forecast.day == period.first_on
            and forecast.metres >= document.from_metres
            and lies_within(forecast.area, areas)
        ]
        return Judgement(
            period=period,
            stage=TriggerStage.ACTIVATION if high else TriggerStage.NONE,
            severity=Severity.MODERATE,
            areas=tuple(forecast.area for forecast in high),
            finding=f"{len(high)} gauges are forecast to reach {document.from_metres} m.",
            evidence={
                "levels": [
                    {"area": forecast.area, "issued_on": forecast.issued_on.isoformat()}
                    for forecast in high
                ]
            },
        )

    def continues(
        self,
        series: Sequence[Forecast],
        document: GaugeForecast,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        if self.is_over(document, evidence_to=earlier.last_on, on=period.first_on):
            return Continuation(order=Order.LATER, because="A later flood is forecast.")
        return Continuation(order=Order.SAME, because="It is the same flood.")

    def is_over(self, document: GaugeForecast, *, evidence_to: date, on: date) -> bool:
        return (on - evidence_to).days > 30


FORECAST_LEVEL = ForecastLevelMethod()
