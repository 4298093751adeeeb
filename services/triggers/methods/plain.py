"""What is said and drawn of evidence by a method that says nothing of its own.

Evidence of most methods has one of these forms, and needs no more:

- ``series``: each series by its name, or one alone, or ``changes``: a list of values, each with
  its day (``on`` or ``month``) and its ``percent`` or ``value``, null where there was none.
- ``places``: one entry for each ``place``, with the ``stage`` that it reaches and what was
  measured there (``value``, ``metres``, ``spi`` and so on).
- ``areas``: one entry for each ``area``, with what was found in it.

A stage's level stands under ``levels`` of the evidence, of the place, or of ``thresholds``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from services.triggers.geography.names import name_of
from services.triggers.methods.chart import Bar, Bars, Chart, Level, Line, Point, Series
from services.triggers.wording.vocabulary import STAGES
from shared.wording import numbers
from shared.wording.phrase import Phrase

Evidence = Mapping[str, Any]

_ACTIVATION = "activation"
_STAGES = ("watch", "readiness", _ACTIVATION)
_MAXIMUM_LINES = 12
_MAXIMUM_POINTS = 4_000
_MAXIMUM_BARS = 40
_MAXIMUM_SENTENCES = 8

_MEASURED: Mapping[str, Phrase | None] = {
    # Null: in the indicator's own unit. What a method derives comes before what it was derived of.
    "value": None,
    "metres": Phrase("m", "ម៉ែត្រ"),
    "percentile": Phrase("percentile", "ភាគរយចំណាត់ថ្នាក់"),
    "spi": Phrase("SPI", "SPI"),
    "probability": Phrase("share of the members", "ចំណែកនៃការព្យាករ"),
    "millimetres": Phrase("mm", "មីលីម៉ែត្រ"),
    "percent": Phrase("%", "%"),
    "phase": Phrase("phase", "ដំណាក់កាល"),
    "share": Phrase("share of the area", "ចំណែកនៃផ្ទៃដី"),
    "households": Phrase("households", "គ្រួសារ"),
}
_OWN_LEVELS = Phrase(
    "The mark across a bar is the level of activation there.",
    "គំនូសកាត់លើរបារនីមួយៗ គឺជាកម្រិតបើកដំណើរការនៅទីនោះ។",
)
_DAYS = ("on", "month", "day")


def plain_chart(evidence: Evidence, *, unit: str) -> Chart | None:
    """Series over time, or figures by place or area; None: the evidence holds none."""
    panel = _series(evidence, unit) or _bars(evidence, unit)
    if panel is None:
        return None
    return Chart(
        title=Phrase(
            "What was measured, and from where it activates",
            "អ្វីដែលបានវាស់ និងកម្រិតដែលបើកដំណើរការ",
        ),
        panels=(panel,),
        note=_OWN_LEVELS if _has_own_levels(panel) else Phrase("", ""),
    )


def plain_reasons(evidence: Evidence, *, unit: str) -> list[Phrase]:
    """The latest value of each series, or each place's or area's, and the levels."""
    reasons: list[Phrase] = []
    series, bars = _series(evidence, unit), _bars(evidence, unit)
    if series is not None:
        for line in series.lines:
            known = [point for point in line.points if point.value is not None]
            if known and known[-1].value is not None:
                value = _said(known[-1].value, series.unit)
                reasons.append(_sentence(line.label, value, on=numbers.day(known[-1].on)))
    elif bars is not None:
        # What reaches the furthest says the most.
        for bar in sorted(bars.bars, key=lambda each: not each.reached):
            if bar.value is not None:
                reasons.append(_sentence(bar.label, _said(bar.value, bars.unit)))
    levels = series.levels if series is not None else bars.levels if bars is not None else ()
    return [*reasons[:_MAXIMUM_SENTENCES], *_said_of(levels), *silent_said(evidence)]


def levels_said(evidence: Evidence, *, unit: str) -> list[Phrase]:
    """From where each stage is reached, of places that share their levels."""
    bars = _bars(evidence, unit)
    return _said_of(bars.levels if bars is not None else ())


def _said_of(levels: Sequence[Level]) -> list[Phrase]:
    return [Phrase(f"{each.label.en}.", f"{each.label.km}។") for each in levels]


def number_in(value: Any) -> float | None:
    """A number as evidence keeps it; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _has_own_levels(panel: Series | Bars) -> bool:
    return isinstance(panel, Bars) and any(bar.level is not None for bar in panel.bars)


def _series(evidence: Evidence, unit: str) -> Series | None:
    given = evidence.get("series", evidence.get("changes"))
    named = given.items() if isinstance(given, Mapping) else [("", given)]
    lines = []
    measured = unit_of = Phrase.same(unit)
    for name, values in named:
        points = []
        for entry in _entries(values)[-_MAXIMUM_POINTS:]:
            on = _day_in(entry)
            value, key = _measured_in(entry, first="percent")
            if on is not None:
                points.append(Point(on=on, value=value))
                unit_of = _MEASURED[key] or measured if key else unit_of
        if points:
            points.sort(key=lambda point: point.on)
            lines.append(Line(label=Phrase.same(str(name)), points=tuple(points)))
    if not lines:
        return None
    levels = tuple(_levels(evidence, unit_of))
    return Series(unit=unit_of, lines=tuple(lines[:_MAXIMUM_LINES]), levels=levels)


def _bars(evidence: Evidence, unit: str) -> Bars | None:
    bars = []
    unit_of = Phrase.same(unit)
    entries = _entries(evidence.get("places")) or _entries(evidence.get("areas"))
    for entry in entries:
        value, key = _measured_in(entry)
        if key is None:
            continue
        unit_of = _MEASURED[key] or unit_of
        bars.append(
            Bar(
                label=_label_of(entry),
                value=value,
                reached=reaches(entry),
                level=_level_in(entry, _ACTIVATION),
            )
        )
    if not bars:
        return None
    bars.sort(key=lambda bar: (not bar.reached, -(bar.value or 0)))
    levels = tuple(_levels(evidence, unit_of))
    return Bars(unit=unit_of, bars=tuple(bars[:_MAXIMUM_BARS]), levels=levels)


def reaches(entry: Evidence) -> bool:
    """Whether a place or an area of the evidence is one that activates."""
    stage = entry.get("stage", entry.get("reaches"))
    return bool(entry.get("taken_in")) or stage == _ACTIVATION


def _label_of(entry: Evidence) -> Phrase:
    place = entry.get("place")
    return Phrase.same(str(place)) if place else name_of(str(entry.get("area", "")))


def _measured_in(entry: Evidence, *, first: str = "value") -> tuple[float | None, str | None]:
    """What was measured, and what it is called; twice None where nothing of that is named."""
    for key in (first, *_MEASURED):
        if key in entry:
            return number_in(entry[key]), key
    return None, None


def _day_in(entry: Evidence) -> date | None:
    for key in _DAYS:
        try:
            return date.fromisoformat(str(entry.get(key)))
        except ValueError:
            continue
    return None


def _levels(evidence: Evidence, unit: Phrase) -> Iterator[Level]:
    thresholds = evidence.get("thresholds")
    for stage in _STAGES:
        value = _level_in(evidence, stage)
        if value is None and isinstance(thresholds, Mapping):
            value = _level_in(thresholds, stage)
        if value is not None:
            word, said = STAGES[stage], _said(value, unit)
            label = Phrase(f"{word.en.capitalize()} from {said.en}", f"{word.km}ចាប់ពី {said.km}")
            yield Level(value=value, label=label, pays=stage == _ACTIVATION)


def _level_in(entry: Evidence, stage: str) -> float | None:
    """A stage's level, however an entry holds it."""
    for key in ("levels", "levels_metres"):
        levels = entry.get(key)
        if isinstance(levels, Mapping):
            return number_in(levels.get(stage))
    threshold = entry.get(stage)
    return number_in(threshold.get("level")) if isinstance(threshold, Mapping) else None


def silent_said(evidence: Evidence) -> list[Phrase]:
    """How many places cannot be judged; nothing where all can."""
    places = _entries(evidence.get("places"))
    silent = sum("unjudged" in place for place in places)
    if not silent:
        return []
    count, of = numbers.number(silent), numbers.number(len(places))
    return [
        Phrase(
            f"{count.en} of {of.en} places cannot be judged: that is not calm.",
            f"ទីកន្លែងចំនួន {count.km} ក្នុងចំណោម {of.km} មិនអាចវាយតម្លៃបានទេ៖ នេះមិនមានន័យថាស្ថានភាពធម្មតាទេ។",
        )
    ]


def _entries(values: Any) -> Sequence[Evidence]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        return []
    return [entry for entry in values if isinstance(entry, Mapping)]


def _said(value: float, unit: Phrase) -> Phrase:
    figure = numbers.number(value)
    return Phrase(f"{figure.en} {unit.en}", f"{figure.km} {unit.km}")


def _sentence(label: Phrase, value: Phrase, *, on: Phrase | None = None) -> Phrase:
    name = Phrase(f"{label.en}: ", f"{label.km}៖ ") if label.en else Phrase("", "")
    when = Phrase(f" on {on.en}", f" នៅ{on.km}") if on else Phrase("", "")
    return Phrase(f"{name.en}{value.en}{when.en}.", f"{name.km}{value.km}{when.km}។")
