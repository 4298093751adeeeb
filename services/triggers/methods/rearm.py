"""Which days of what happens at no set times are of one event, for methods that judge by day."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Continuation, Method, MethodDocument, Order
from shared.values import Whole


class QuietRearm(BaseModel):
    """When the trigger may fire again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet_days: Annotated[
        int,
        Whole(least=1, most=366),
        Field(
            description="What reaches activation within so many days of the last day that did "
            "belongs to the same event and widens its activation; after a longer quiet a new "
            "event begins.",
        ),
    ]


class RearmedDocument(MethodDocument):
    """A document that says how long it must be quiet between two events."""

    rearm: QuietRearm


Document = TypeVar("Document", bound=RearmedDocument)
Series = TypeVar("Series")


class ByDay(Method[Document, Series], Generic[Document, Series]):
    """A period is one day on which something was said, or one of the indicator's calendar."""

    widens = True

    @abstractmethod
    def days_of(self, series: Series) -> Sequence[date]:
        """The days on which something was said."""

    def events(self, series: Series, document: Document, *, changed: Period) -> Sequence[Period]:
        """What is said of a day counts on later days too, so that these are judged again."""
        days = sorted(set(self.days_of(series)))
        return [Period(first_on=day, last_on=day) for day in days if day >= changed.first_on]

    def used(self, period: Period) -> Period:
        """All that was said before: some of it still counts."""
        return Period(first_on=date.min, last_on=period.last_on)

    def continues(
        self, series: Series, document: Document, *, period: Period, earlier: Period
    ) -> Continuation:
        quiet = document.rearm.quiet_days
        if self.is_over(document, evidence_to=earlier.last_on, on=period.first_on):
            return Continuation(
                order=Order.LATER, because=f"More than {quiet} quiet days lie between."
            )
        if self.is_over(document, evidence_to=period.last_on, on=earlier.first_on):
            return Continuation(
                order=Order.EARLIER, because="It is of before the event that was activated."
            )
        return Continuation(
            order=Order.SAME, because=f"No {quiet} quiet days lie between it and its event."
        )

    def is_over(self, document: Document, *, evidence_to: date, on: date) -> bool:
        return on > evidence_to + timedelta(days=document.rearm.quiet_days)
