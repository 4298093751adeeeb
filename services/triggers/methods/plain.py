"""What is drawn and said of evidence by a method that says nothing of its own.

A method that keeps ``series`` and ``levels`` in its evidence needs no more. ``series``: each
series by its name, as a list of ``{"on": "2020-10-12", "value": 10.4}``, null where there was no
value; or such a list alone. ``levels``: a value for each stage that has one, such as
``{"readiness": 10.5, "activation": 11.0}``. Without ``levels``, the numbers called ``level`` of
the stages of ``thresholds`` are taken.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.methods.chart import Chart, Level, Line, Point, Series
from services.triggers.wording import numbers
from services.triggers.wording.phrase import Phrase
from services.triggers.wording.vocabulary import STAGES

_STAGES = ("watch", "readiness", "activation")
_MAXIMUM_LINES = 12
_MAXIMUM_POINTS = 4_000


def plain_chart(evidence: Mapping[str, Any], *, unit: str) -> Chart | None:
    """Every series against every level; None: the evidence holds no series."""
    lines = tuple(_lines(evidence.get("series")))[:_MAXIMUM_LINES]
    if not lines:
        return None
    return Chart(
        title=Phrase(
            "What was measured, and from where it activates",
            "អ្វីដែលបានវាស់ និងកម្រិតដែលបើកដំណើរការ",
        ),
        panels=(
            Series(
                unit=Phrase.same(unit),
                lines=lines,
                levels=tuple(
                    Level(
                        value=value,
                        label=Phrase(
                            f"{STAGES[stage].en} from {_said(value).en}",
                            f"{STAGES[stage].km}ចាប់ពី {_said(value).km}",
                        ),
                        pays=stage == "activation",
                    )
                    for stage, value in _levels(evidence)
                ),
            ),
        ),
        note=Phrase("", ""),
    )


def plain_reasons(evidence: Mapping[str, Any], *, unit: str) -> list[Phrase]:
    """The latest value of each series, and the levels."""
    reasons = []
    for line in tuple(_lines(evidence.get("series")))[:_MAXIMUM_LINES]:
        known = [point for point in line.points if point.value is not None]
        if not known or known[-1].value is None:
            continue
        value, on = _said(known[-1].value), numbers.day(known[-1].on)
        name = f"{line.label.en}: " if line.label.en else ""
        reasons.append(
            Phrase(f"{name}{value.en} {unit} on {on.en}.", f"{name}{value.km} {unit} នៅ{on.km}។")
        )
    for stage, level in _levels(evidence):
        word, value = STAGES[stage], _said(level)
        reasons.append(
            Phrase(
                f"The level of {word.en} is {value.en} {unit}.",
                f"កម្រិត{word.km}គឺ {value.km} {unit}។",
            )
        )
    return reasons


def _lines(series: Any) -> Iterator[Line]:
    named = series.items() if isinstance(series, Mapping) else [("", series)]
    for name, values in named:
        if isinstance(values, Sequence) and not isinstance(values, str):
            points = sorted(_points(values[-_MAXIMUM_POINTS:]), key=lambda point: point.on)
            if points:
                yield Line(label=Phrase.same(str(name)), points=tuple(points))


def _points(values: Sequence[Any]) -> Iterator[Point]:
    for entry in values:
        if not isinstance(entry, Mapping):
            continue
        try:
            on = date.fromisoformat(str(entry.get("on")))
        except ValueError:
            continue
        yield Point(on=on, value=number_in(entry.get("value")))


def _levels(evidence: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    given, thresholds = evidence.get("levels"), evidence.get("thresholds")
    for stage in _STAGES:
        value = given.get(stage) if isinstance(given, Mapping) else None
        if value is None and isinstance(thresholds, Mapping):
            threshold = thresholds.get(stage)
            value = threshold.get("level") if isinstance(threshold, Mapping) else None
        level = number_in(value)
        if level is not None:
            yield stage, level


def number_in(value: Any) -> float | None:
    """A number as evidence keeps it; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _said(value: float) -> Phrase:
    return numbers.number(value)
