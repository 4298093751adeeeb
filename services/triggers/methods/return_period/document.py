"""What a trigger document says of return periods: how many years, by which fit, on what record."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.triggers.methods.at_places import AtPlacesDocument, DaysRearm
from services.triggers.methods.levels import RisingLevels
from shared.values import Measure, Whole

Years = Annotated[float, Measure(least=1.01, most=500)]


class ReturnPeriods(RisingLevels[Years]):
    """Return periods in years: 5 is a level that is reached in one year of five."""


class ReturnPeriodRearm(DaysRearm):
    """How long the trigger stays quiet after it fired."""

    below_years: Annotated[
        float,
        Measure(least=1.01, most=500),
        Field(
            description="After the quiet days it may fire again once the water fell below the "
            "level of this return period."
        ),
    ]


class ReturnPeriod(AtPlacesDocument):
    """Discharge, or stage, against levels by their return period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "return-period",
                    "fit": "gumbel",
                    "return_periods": {
                        "readiness": 2,
                        "activation": 5,
                        "severe": 10,
                        "extreme": 20,
                    },
                    "minimum_years": 20,
                    "minimum_days_of_year": 347,
                    "year_begins_in_month": 4,
                    "reaches": {"Kratie": ["10"]},
                    "rearm": {"quiet_days": 30, "after_days": 180, "below_years": 1.5},
                }
            ]
        }
    )

    kind: Literal["return-period"]
    fit: Annotated[
        Literal["gumbel", "plotting-position"],
        Field(
            description="`gumbel`: Gumbel's distribution, fitted to the highest value of each year "
            "by L-moments. `plotting-position`: Weibull's (n + 1) / rank, between the values that "
            "there were."
        ),
    ] = "gumbel"
    return_periods: ReturnPeriods
    minimum_years: Annotated[
        int,
        Whole(least=10, most=200),
        Field(description="So many complete years before the one that is judged are needed."),
    ] = 20
    minimum_days_of_year: Annotated[
        int,
        Whole(least=1, most=365),
        Field(
            description="A year with fewer days is left out: its highest may be among those that "
            "are missing. 1 where each figure is the highest of a whole year."
        ),
    ] = 347
    year_begins_in_month: Annotated[
        int,
        Whole(least=1, most=12),
        Field(description="A month of low water, so that no flood lies in two years."),
    ] = 1
    rearm: ReturnPeriodRearm

    @model_validator(mode="after")
    def _within_the_record(self) -> Self:
        longest = max(years for _, years in self.return_periods if years is not None)
        years = longest_return_period(self.fit, self.minimum_years)
        if longest > years:
            raise ValueError(
                f"A record of {self.minimum_years} years says nothing of {longest:g} years by "
                f"{self.fit}: {years} at most. Ask for more years or a shorter return period."
            )
        if self.rearm.below_years > self.return_periods.activation:
            raise ValueError(
                "rearm.below_years must not be more than the return period of activation."
            )
        return self


def longest_return_period(fit: str, years: int) -> int:
    """How far a record may be extrapolated.

    By Gumbel's distribution to twice its length (Flood Studies Report, Natural Environment
    Research Council, 1975); by plotting position not beyond its highest value.
    """
    return 2 * years if fit == "gumbel" else years + 1
