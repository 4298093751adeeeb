"""The face of a method: everything else in the service asks a method through it alone.

A method is pure. What was known of an indicator at the end of a day is laid out for judging
(`lay_out`), periods of it are judged (`judge`), and two periods are said to be of one event or of
two (`continues`). Which periods are due, on which day, follows from the indicator's calendar; of
what happens at no set times, from the method (`events`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.chart import Chart
from services.triggers.methods.figures import Figures
from services.triggers.methods.indicator_kind import IndicatorKind
from services.triggers.methods.judgement import Judgement, Lapse, Period
from services.triggers.methods.measured import Measured, plainly_measured
from services.triggers.methods.plain import plain_chart, plain_reasons
from shared.wording.phrase import Phrase


class MethodDocument(BaseModel):
    """The part of a trigger's document that belongs to its method: thresholds and the like.

    Each method narrows `kind` to a literal of its own, by which a document is recognised.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: str


class Order(StrEnum):
    """How what is judged stands to the event of an earlier activation."""

    EARLIER = "earlier"
    SAME = "same"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """Whether what is judged is the event of an earlier activation, or another; and why."""

    order: Order
    because: str
    """A sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the documentation says of a method, as parts of sentences."""

    judged_on: str
    """What a judgement is dated: "the month of a price"."""
    areas: str
    """Which areas it activates: "a national price activates these areas"."""
    evidence: str
    """The numbers that are kept: "prices, markets, ALPS and IFPA"."""


Document = TypeVar("Document", bound=MethodDocument)
Series = TypeVar("Series")


class Method(ABC, Generic[Document, Series]):
    """One way to judge an indicator: pure, so that a judgement can be made again from the same."""

    indicator_kinds: ClassVar[tuple[IndicatorKind, ...]]
    """The kinds of indicators that it judges."""
    reads_forecasts: ClassVar[bool] = False
    """Whether it judges indicators of what is to come."""
    uses_whole_sample: ClassVar[bool] = False
    """Whether its levels come from years after the period judged: such a backtest is refused."""
    judges_by: ClassVar[Frequency | None] = None
    """The one frequency of an indicator that it can judge; None: any."""
    calendar: ClassVar[Calendar | None] = None
    """Of a history that comes without one; None: the usual one of its kind of indicator."""
    widens: ClassVar[bool]
    """Whether later evidence of the same event adds its areas to the activation."""
    words: ClassVar[Words]

    @property
    @abstractmethod
    def document(self) -> type[Document]:
        """The model of its documents."""

    @property
    def kind(self) -> str:
        """What its documents call it."""
        (kind,) = get_args(self.document.model_fields["kind"].annotation)
        return str(kind)

    @abstractmethod
    def lay_out(self, figures: Figures, document: Document, *, areas: Sequence[str]) -> Series:
        """What is known of an indicator, laid out for judging.

        `figures` are those that count at the end of some day, one for each thing. `areas` are
        those in which the trigger acts.
        """

    def events(self, series: Series, document: Document, *, changed: Period) -> Sequence[Period]:
        """Of an indicator of events: those to which figures of the days `changed` belong.

        Oldest first. Of any other indicator the calendar says which periods there are.
        """
        return [changed]

    def lapses(self, series: Series, document: Document) -> Sequence[Lapse]:
        """Of an indicator of events: what time alone makes due, by what is known.

        Such as that an alert ends when it said it would, or that nobody reports any more.
        """
        return ()

    def used(self, period: Period) -> Period:
        """The days of figures that judging a period can use: its own, unless a method says more.

        Whoever posted one of them does not decide on what comes of it.
        """
        return period

    @abstractmethod
    def judge(
        self, series: Series, document: Document, *, period: Period, areas: Sequence[str]
    ) -> Judgement:
        """What the figures say of a period. Of what lies after it, nothing is used."""

    def measured(self, evidence: Mapping[str, Any]) -> Sequence[Measured]:
        """The numbers of a judgement that were held against thresholds, from its evidence."""
        return plainly_measured(evidence)

    @abstractmethod
    def continues(
        self, series: Series, document: Document, *, period: Period, earlier: Period
    ) -> Continuation:
        """How a period stands to the evidence of an earlier activation."""

    @abstractmethod
    def is_over(self, document: Document, *, evidence_to: date, on: date) -> bool:
        """Whether something on the day `on` is too late to belong to evidence that ended before.

        Without a look at the data: it is asked where an official declares an activation.
        """

    def reasons(self, evidence: Mapping[str, Any], *, unit: str) -> Sequence[Phrase]:
        """Why a judgement came out as it did: sentences, from its evidence as it was kept."""
        return plain_reasons(evidence, unit=unit)

    def chart(self, evidence: Mapping[str, Any], *, unit: str) -> Chart | None:
        """What is drawn of it; None: nothing can be."""
        return plain_chart(evidence, unit=unit)
