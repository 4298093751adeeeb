"""Methods that judge place by place: stations, gauges, areas of rain; so many of them decide."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.triggers.areas import AreaCode
from services.triggers.methods import telling_places
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.measured import Measured, number_in, plainly_measured
from services.triggers.methods.method import Continuation, Method, MethodDocument, Order
from services.triggers.methods.places import Site
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.verdicts import Common, Verdict, common
from shared.values import Text, Whole
from shared.wording.phrase import Phrase

PlaceName = Annotated[str, Text(longest=100)]

MAXIMUM_PLACES = 500


class DaysRearm(BaseModel):
    """How long the trigger stays quiet after it fired."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quiet_days: Annotated[
        int,
        Whole(least=1, most=730),
        Field(description="Never fires again within so many days after the evidence ended."),
    ]
    after_days: Annotated[
        int,
        Whole(least=1, most=1_500),
        Field(description="May fire again after so many days even if the value never fell back."),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after_days < self.quiet_days:
            raise ValueError("after_days must be quiet_days or more.")
        return self


class AtPlacesDocument(MethodDocument):
    """What the documents of these methods have in common."""

    at_least_places: Annotated[
        int,
        Whole(least=1, most=MAXIMUM_PLACES),
        Field(description="So many places must reach a stage for it to be reached."),
    ] = 1
    reaches: Annotated[
        dict[PlaceName, Annotated[list[AreaCode], Field(min_length=1, max_length=500)]],
        Field(
            max_length=MAXIMUM_PLACES,
            description="The areas that each place speaks for: a station's communes or districts. "
            "The places named here are awaited: one that is silent cannot be judged, and is never "
            "calm. A place that is not named speaks for the area of its own figures.",
        ),
    ] = {}
    rearm: DaysRearm

    @property
    def named(self) -> frozenset[str]:
        """The places that are awaited whether they ever had a figure or not."""
        return frozenset(self.reaches)


class AtNamedPlacesDocument(AtPlacesDocument):
    """Of methods that judge the places that the document names, and no others."""

    @model_validator(mode="after")
    def _places_are_named(self) -> Self:
        unknown = sorted(set(self.reaches) - self.named)
        if unknown:
            raise ValueError(
                f"reaches names {', '.join(unknown)}, which have no levels. Give them levels, or "
                "leave them out."
            )
        if len(self.named) < self.at_least_places:
            raise ValueError(
                f"at_least_places is {self.at_least_places}, and {len(self.named)} places have "
                "levels: it could never fire. Name more, or ask for fewer."
            )
        return self


class Placed(Protocol):
    """The values of a place, in whatever form a method lays them out."""

    @property
    def site(self) -> Site: ...
    def is_awaited(self, period: Period) -> bool: ...


Document = TypeVar("Document", bound=AtPlacesDocument)
Place = TypeVar("Place", bound=Placed)

_PLACES_TOLD = 5
_IN_ACTIVATION = Phrase("places in activation", "ទីកន្លែងដែលដល់កម្រិតបើកដំណើរការ")


class AtPlaces(Method[Document, Sequence[Place]], Generic[Document, Place]):
    """One way to judge a place; what the places say together is said here."""

    widens = True

    @abstractmethod
    def judge_place(self, place: Place, document: Document, period: Period) -> Verdict:
        """What one place says of a period."""

    @abstractmethod
    def tell_place(self, place: Mapping[str, Any], *, unit: str) -> Phrase:
        """What the numbers of one place say, from the evidence as it was kept."""

    @abstractmethod
    def is_below(self, place: Place, document: Document, period: Period) -> bool:
        """Whether a place is known to have fallen back in a period: silence is not below."""

    def used(self, period: Period) -> Period:
        """Every figure so far: what is normal is read from all of them."""
        return Period(first_on=date.min, last_on=period.last_on)

    def judge(
        self,
        series: Sequence[Place],
        document: Document,
        *,
        period: Period,
        areas: Sequence[str],
    ) -> Judgement:
        verdicts = [
            self.judge_place(place, document, period)
            for place in series
            if place.is_awaited(period)
        ]
        found = common(verdicts, at_least_places=document.at_least_places)
        return Judgement(
            period=period,
            stage=found.stage,
            severity=found.severity,
            areas=found.areas,
            finding=_finding(verdicts, found, document=document),
            evidence={
                "method": document.kind,
                "first_on": period.first_on.isoformat(),
                "last_on": period.last_on.isoformat(),
                "places": [
                    {
                        "place": verdict.site.name,
                        "areas": list(verdict.site.areas),
                        "stage": verdict.stage.value,
                        **({"unjudged": verdict.says} if verdict.is_unjudged else {}),
                        **verdict.numbers,
                    }
                    for verdict in verdicts
                ],
                "thresholds": document.model_dump(mode="json"),
            },
            unjudged=found.unjudged,
        )

    def measured(self, evidence: Mapping[str, Any]) -> Sequence[Measured]:
        """How many places reach activation, where no single number decides; None: none is known."""
        plain = plainly_measured(evidence)
        places = evidence.get("places")
        if plain or not isinstance(places, Sequence):
            return plain
        judged = [place for place in places if "unjudged" not in place]
        reached = sum(place["stage"] == TriggerStage.ACTIVATION.value for place in judged)
        return [
            Measured(
                name=_IN_ACTIVATION,
                value=float(reached) if judged else None,
                activation=number_in(evidence["thresholds"]["at_least_places"]),
            )
        ]

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        return telling_places.reasons(
            evidence, unit=unit, tell=lambda place: self.tell_place(place, unit=unit)
        )

    def continues(
        self,
        series: Sequence[Place],
        document: Document,
        *,
        period: Period,
        earlier: Period,
    ) -> Continuation:
        if self.is_over(document, evidence_to=period.last_on, on=earlier.first_on):
            return Continuation(
                order=Order.EARLIER,
                because="These figures came after a later event was activated.",
            )
        rearmed = self._why_rearmed(series, document, period=period, earlier=earlier)
        if rearmed is not None:
            return Continuation(order=Order.LATER, because=rearmed)
        return Continuation(
            order=Order.SAME,
            because=f"The trigger is quiet: it fired for {earlier.last_on} already.",
        )

    def is_over(self, document: Document, *, evidence_to: date, on: date) -> bool:
        return (on - evidence_to).days >= document.rearm.after_days

    def _why_rearmed(
        self, series: Sequence[Place], document: Document, *, period: Period, earlier: Period
    ) -> str | None:
        passed = (period.first_on - earlier.last_on).days
        since = f"{passed} days have passed since it fired for {earlier.last_on}"
        if passed < document.rearm.quiet_days:
            return None
        if passed >= document.rearm.after_days:
            return f"{since}."
        for between in _periods_between(earlier, period):
            awaited = [place for place in series if place.is_awaited(between)]
            high = sum(not self.is_below(place, document, between) for place in awaited)
            if high < document.at_least_places <= len(awaited):
                return f"{since}, and the values had fallen back by {between.last_on}."
        return None


def _periods_between(earlier: Period, later: Period) -> Iterator[Period]:
    """The periods after one and before another, each as long as the calendar makes the later."""
    calendar = next(
        (
            calendar
            for calendar in map(_calendar_of, Frequency)
            if calendar.period_of(later.first_on) == (later.first_on, later.last_on)
        ),
        _calendar_of(Frequency.DAY),
    )
    day = earlier.last_on + timedelta(days=1)
    while day < later.first_on:
        first_on, last_on = calendar.period_of(day)
        if last_on >= later.first_on:
            return
        if first_on > earlier.last_on:
            yield Period(first_on=first_on, last_on=last_on)
        day = last_on + timedelta(days=1)


def _calendar_of(frequency: Frequency) -> Calendar:
    return Calendar(frequency=frequency)


def _finding(verdicts: Sequence[Verdict], found: Common, *, document: AtPlacesDocument) -> str:
    if found.stage is TriggerStage.NONE:
        summary = "cannot be judged" if found.unjudged else "below the thresholds"
        told: Sequence[Verdict] = verdicts
    else:
        summary = (
            f"{found.stage.value}, reached at {found.reached_by} of {len(verdicts)} places, "
            f"{document.at_least_places} needed"
        )
        told = sorted(verdicts, key=lambda verdict: -verdict.stage.rank)
    sentences = [f"{summary[0].upper()}{summary[1:]}."]
    sentences += [verdict.says for verdict in told[:_PLACES_TOLD]]
    if len(told) > _PLACES_TOLD:
        sentences.append(f"{len(told) - _PLACES_TOLD} more places stand in the evidence.")
    return " ".join(sentences)
