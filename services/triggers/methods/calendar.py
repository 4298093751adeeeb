"""An indicator's own calendar: when a period of it may be judged, and when its silence is told."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.values import Whole


class Frequency(StrEnum):
    """How often an indicator has a value."""

    EVENT = "event"
    """Whenever something happens: reports, alerts, extents. Silence says nothing."""
    DAY = "day"
    DEKAD = "dekad"
    """Ten days: from the 1st, the 11th and the 21st of a month; the last is as long as it is."""
    MONTH = "month"
    YEAR = "year"


class Calendar(BaseModel):
    """When a period is complete, and how long its figures may be awaited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frequency: Annotated[
        Frequency,
        Field(
            description="How often it has a value. Of an `event`, whatever is published is judged "
            "at once. Any other is judged when a period is complete and the day on which it "
            "became so has ended, in the country's time."
        ),
    ] = Frequency.EVENT
    complete_with_places: Annotated[
        Annotated[int, Whole(least=1, most=10_000)] | None,
        Field(
            description="A period is complete once so many places have a figure; null: not before "
            "its last day of waiting."
        ),
    ] = None
    waits_days: Annotated[
        int,
        Whole(least=0, most=366),
        Field(
            description="A period that is not complete so many days after it ended is judged by "
            "what there is. Where there is nothing, it cannot be judged, which is told."
        ),
    ] = 0

    def period_of(self, day: date) -> tuple[date, date]:
        """The first and the last day of the period in which a day lies."""
        match self.frequency:
            case Frequency.EVENT | Frequency.DAY:
                return day, day
            case Frequency.DEKAD:
                first = day.replace(day=1 if day.day <= 10 else 11 if day.day <= 20 else 21)
                if first.day < 21:
                    return first, first + timedelta(days=9)
                return first, _month_end(day)
            case Frequency.MONTH:
                return day.replace(day=1), _month_end(day)
            case Frequency.YEAR:
                return day.replace(month=1, day=1), day.replace(month=12, day=31)

    def in_words(self) -> str:
        """A sentence for people, without its end."""
        if self.frequency is Frequency.EVENT:
            return "whenever something is published"
        places = (
            f" or once {self.complete_with_places} places have a figure"
            if self.complete_with_places
            else ""
        )
        return f"each {self.frequency}, {self.waits_days} days after it ended{places}"

    def waited_until(self, last_on: date) -> date:
        """The last day on which a period's figures are awaited."""
        return last_on + timedelta(days=self.waits_days)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
