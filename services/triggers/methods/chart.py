"""What is drawn of a judgement's evidence: a plain value, the same for every method."""

from dataclasses import dataclass
from datetime import date

from shared.wording.phrase import Phrase


@dataclass(frozen=True, kw_only=True)
class Level:
    """A value from which a stage is reached: a line across the chart."""

    value: float
    label: Phrase
    pays: bool = False
    """Whether it is that of the activation: drawn the strongest."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of a series; None: there was none, and the line breaks."""

    on: date
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One series over time, oldest first."""

    label: Phrase
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """Series over time, with the levels that they are held against."""

    unit: Phrase
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()
    marked: tuple[date, date] | None = None
    """The days that were judged."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One figure of several; None: named without a figure."""

    label: Phrase
    value: float | None
    reached: bool
    """Whether it counts as reached by the shock: drawn dark."""
    level: float | None = None
    """Its own, where each is held against another: a mark across the bar."""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Figures beside one another, with the levels that each is held against."""

    unit: Phrase
    bars: tuple[Bar, ...]
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A title, what is drawn from top to bottom, and what stands below."""

    title: Phrase
    panels: tuple[Series | Bars, ...]
    note: Phrase
