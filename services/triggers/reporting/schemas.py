"""Bodies about who reports, and what is missing."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.quality.doubt import DoubtReason
from services.triggers.quality.reporting import Every


class LastFigureOut(BaseModel):
    """The latest figure."""

    observed_on: date
    published_on: date
    recorded_at: datetime
    age_days: int = Field(description="Days from the day that it is about until today.")


class ReporterOut(BaseModel):
    """A place, or an area as a whole."""

    area: str
    place: str | None


class GapOut(ReporterOut):
    """Periods in a row without a figure, by the first days of the first and the last."""

    first_on: date
    last_on: date
    periods: int


class SetAsideOut(BaseModel):
    """What waits for a person."""

    waiting: int
    by_reason: dict[DoubtReason, int]
    oldest_at: datetime | None


class QualityOut(BaseModel):
    """What is there of an indicator, what is missing, and what is doubtful."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "indicator": "rice-wholesale-price",
                    "last": {
                        "observed_on": "2020-09-01",
                        "published_on": "2020-10-10",
                        "recorded_at": "2020-10-10T02:00:00Z",
                        "age_days": 39,
                    },
                    "every": "month",
                    "places_expected": 16,
                    "places_reporting": 15,
                    "silent": [{"area": "02", "place": "Boeung Chhouk"}],
                    "gaps": [
                        {
                            "area": "02",
                            "place": "Boeung Chhouk",
                            "first_on": "2020-09-01",
                            "last_on": "2020-09-01",
                            "periods": 1,
                        }
                    ],
                    "periods_without_any": 0,
                    "set_aside": {
                        "waiting": 1,
                        "by_reason": {"riel-for-dollars": 1},
                        "oldest_at": "2020-10-10T02:00:00Z",
                    },
                }
            ]
        }
    )

    indicator: str
    last: LastFigureOut | None = Field(description="Null: it has none.")
    every: Every | None = Field(
        description="How often figures come, as their days show; null: whenever something happens, "
        "or there are too few. Then no gap is told."
    )
    places_expected: int = Field(
        description="Places, or areas as a whole, that had a figure in one of the last 12 periods."
    )
    places_reporting: int = Field(description="Of these, those with a figure of the latest period.")
    silent: list[ReporterOut] = Field(description="The others, 500 at most.")
    gaps: list[GapOut] = Field(
        description="What is missing of the last 12 periods, of those expected; 500 at most."
    )
    periods_without_any: int = Field(
        description="Whole periods since the latest figure of which nobody told anything."
    )
    set_aside: SetAsideOut
