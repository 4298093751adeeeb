"""Kinds of indicators: what is measured, and how a row of it is checked before it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from services.triggers.areas import AreaLevel
from services.triggers.methods.calendar import Calendar
from services.triggers.quality.expectations import Expectations


class PostedRow(Protocol):
    """What a check sees of one value, as it was posted."""

    @property
    def area(self) -> str: ...
    @property
    def place(self) -> str | None: ...
    @property
    def observed_on(self) -> date: ...
    @property
    def published_on(self) -> date: ...
    @property
    def value(self) -> Decimal | None: ...


class RowFault(NamedTuple):
    """A field of a row that is wrong, and what would be right."""

    field: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class IndicatorKind:
    """What is measured. Methods that judge the same kind share one of these."""

    code: str
    says: str
    """What its values are, for whoever registers such an indicator."""
    dated: str
    """What `observed_on` is for it, for whoever posts its rows."""
    faults_of: Callable[[PostedRow], Sequence[RowFault]]
    calendar: Calendar = field(default_factory=Calendar)
    """The usual one, where an indicator states none."""
    details: type[BaseModel] | None = None
    """What its rows say beside the value; None: nothing."""
    with_totals: bool = False
    """Whether figures for areas above the indicator's level are taken: totals, as published."""
    expects: Expectations = field(default_factory=Expectations)
    """By what its figures are held to be doubtful."""

    def takes(self, level: AreaLevel, *, observed_by: AreaLevel) -> bool:
        """Whether a row may be about an area of a level, of an indicator that has another."""
        return level is observed_by or (self.with_totals and level.depth < observed_by.depth)
