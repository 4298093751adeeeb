"""What is drawn of a backtest: the series against its levels, and a curve of thresholds."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Literal

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from services.triggers.backtests.report import (
    ActivationTried,
    CurvePoint,
    EventTried,
    Fate,
    Measure,
    Met,
    Report,
)
from services.triggers.drawing.canvas import DARK, FILL, LIGHT, MIDDLE, PAPER, STRONG, TEXT, blank
from shared.money import minor_digits
from shared.wording import numbers
from shared.wording.phrase import Language, Phrase

_WIDTH = 10.0
_PANEL_HEIGHT = 2.5
_EVENTS_HEIGHT = 1.5
_FEW_POINTS = 60
_CALM = "#c9d6e2"
_MISSED = "#e9c46a"

_EVENT_HIT = Phrase("event, hit", "ព្រឹត្តិការណ៍ដែលរកឃើញ")
_EVENT_MISSED = Phrase("event, missed", "ព្រឹត្តិការណ៍ដែលខកខាន")
_EVENT_OUTSIDE = Phrase("event, outside of the span", "ព្រឹត្តិការណ៍ក្រៅរយៈពេល")
_HIT = Phrase("activation of an event", "ការបើកដំណើរការត្រឹមត្រូវ")
_REPEATED = Phrase("another of the same event", "ការបើកដំណើរការម្ដងទៀត")
_FALSE = Phrase("false alarm", "ការជូនដំណឹងខុស")
_ACTIVATION = Phrase("level of activation", "កម្រិតបើកដំណើរការ")
_READINESS = Phrase("level of readiness", "កម្រិតត្រៀមខ្លួន")
_UNJUDGED = Phrase("could not be judged", "មិនអាចវាយតម្លៃបាន")
_EVENTS = Phrase("events and\nactivations", "ព្រឹត្តិការណ៍ និង\nការបើកដំណើរការ")
_DETECTED = Phrase("events detected (POD)", "ព្រឹត្តិការណ៍ដែលរកឃើញ (POD)")
_FALSE_ALARMS = Phrase("false alarms (FAR)", "ការជូនដំណឹងខុស (FAR)")
_COST = Phrase("cost", "ការចំណាយ")
_THRESHOLD = Phrase("threshold", "កម្រិត")


def timeline(report: Report, language: Language) -> Figure:
    """Each measure over the span, with what happened and what was decided below it."""
    panels = [measure for measure in report.measures if measure.points]
    heights = [*(_PANEL_HEIGHT for _ in panels), _EVENTS_HEIGHT]
    figure = blank(width=_WIDTH, height=sum(heights) + 0.8)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    shared: Axes | None = None
    for place, measure in enumerate(panels):
        axes = figure.add_subplot(grid[place], sharex=shared)
        shared = shared or axes
        _shade(axes, report.events)
        _draw_measure(axes, measure, language, several=len(report.legs) > 1)
        axes.tick_params(axis="x", labelbottom=False)
    below = figure.add_subplot(grid[len(panels)], sharex=shared)
    _draw_events(below, report, language)
    below.set_xlim(_number(report.first_on), _number(report.last_on))
    _date_ticks(below, language)
    figure.legend(
        handles=_legend(report, language),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
    return figure


def curve(points: Sequence[CurvePoint], *, currency: str | None, language: Language) -> Figure:
    """POD and FAR by threshold, and what each would have cost."""
    figure = blank(width=_WIDTH, height=3.4)
    axes = figure.add_subplot()
    tried = [point for point in points if point.scores is not None]
    values = [point.value for point in tried]
    for share, phrase, colour, style in (
        ("probability_of_detection", _DETECTED, DARK, "-"),
        ("false_alarm_ratio", _FALSE_ALARMS, STRONG, "--"),
    ):
        shares = [getattr(point.scores, share).value for point in tried]
        axes.plot(
            values,
            [float("nan") if value is None else value for value in shares],
            style,
            marker="o",
            color=colour,
            label=phrase.in_language(language),
            clip_on=False,
            zorder=3,
        )
    axes.set_ylim(-0.02, 1.05)
    axes.set_xlabel(_THRESHOLD.in_language(language))
    _format(axes, language)
    axes.xaxis.set_major_formatter(_told(language))
    if currency is not None:
        _draw_costs(axes, tried, values, currency=currency, language=language)
    figure.legend(loc="outside upper left", frameon=False, fontsize=8, ncols=3)
    return figure


def _draw_costs(
    axes: Axes,
    tried: Sequence[CurvePoint],
    values: Sequence[float],
    *,
    currency: str,
    language: Language,
) -> None:
    """In millions of the currency, on an axis of their own at the right."""
    million = 10.0 ** (6 + minor_digits(currency))
    costs = [point.money.amount_minor if point.money else None for point in tried]
    beside = axes.twinx()
    axes.set_zorder(beside.get_zorder() + 1)
    axes.patch.set_visible(False)
    beside.plot(
        values,
        [float("nan") if cost is None else cost / million for cost in costs],
        ":",
        marker="s",
        color=FILL,
        label=_COST.in_language(language),
    )
    beside.set_ylim(bottom=0)
    beside.spines["right"].set_visible(True)
    beside.yaxis.set_major_formatter(_told(language))
    unit = Phrase(f"cost, million {currency}", f"ការចំណាយ លាន {currency}")
    beside.set_ylabel(unit.in_language(language))


def _draw_measure(axes: Axes, measure: Measure, language: Language, *, several: bool) -> None:
    days = [_number(point.on) for point in measure.points]
    values = [_or_nan(point.value) for point in measure.points]
    axes.plot(
        days,
        values,
        color=DARK,
        linewidth=1.4,
        # Nothing lies between one event and the next.
        linestyle="none" if measure.of_events else "-",
        marker="o" if len(days) <= _FEW_POINTS else ".",
        markersize=4 if len(days) <= _FEW_POINTS else 2.5,
    )
    if measure.of_events:
        axes.vlines(days, 0, values, color=DARK, linewidth=1.4)
    for level, colour, style in (("activation", STRONG, "-"), ("readiness", MIDDLE, "--")):
        axes.step(
            days,
            [_or_nan(getattr(point, level)) for point in measure.points],
            where="mid",
            color=colour,
            linestyle=style,
            linewidth=1.2,
        )
    unjudged = [day for day, point in zip(days, measure.points, strict=True) if point.value is None]
    if unjudged:
        low = axes.get_ylim()[0]
        axes.plot(unjudged, [low] * len(unjudged), "|", color=MIDDLE, markersize=6, clip_on=False)
        axes.set_ylim(bottom=low)
    if all(value.is_integer() for value in values if not math.isnan(value)):
        # No half of a place is in flood, and no half of a household.
        axes.yaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
    name = Phrase(measure.name, measure.name_km).in_language(language)
    axes.set_ylabel(f"{name} · {measure.leg}" if several else name)
    _format(axes, language)


def _draw_events(axes: Axes, report: Report, language: Language) -> None:
    """Events as bars, and each activation as a mark on the day on which it was decided."""
    for event in report.events:
        first, last = _number(event.event.first_on), _number(event.event.last_on) + 1
        axes.barh(
            0,
            last - first,
            left=first,
            height=0.6,
            color=_colour(event),
            edgecolor=TEXT,
            linewidth=0.6,
        )
    for activation in report.activations:
        axes.plot(
            [_number(activation.decided_on)],
            [1],
            marker="v",
            markersize=9,
            color=_mark(activation),
            markeredgecolor=TEXT,
            linestyle="none",
        )
        axes.axvline(_number(activation.decided_on), color=_mark(activation), linewidth=0.7)
    axes.set_ylim(-0.6, 1.6)
    axes.set_yticks([])
    # Khmer stacks signs above and below its letters: two lines need room between them.
    axes.set_ylabel(_EVENTS.in_language(language), linespacing=1.7)


def _shade(axes: Axes, events: Sequence[EventTried]) -> None:
    for event in events:
        axes.axvspan(
            _number(event.event.first_on),
            _number(event.event.last_on) + 1,
            color=_colour(event),
            alpha=0.35,
            linewidth=0,
        )


def _colour(event: EventTried) -> str:
    return {Fate.HIT: _CALM, Fate.MISSED: _MISSED, Fate.OUTSIDE: LIGHT}[event.fate]


def _mark(activation: ActivationTried) -> str:
    return {Met.HIT: DARK, Met.REPEATED: FILL, Met.FALSE_ALARM: STRONG}[activation.met]


def _legend(report: Report, language: Language) -> list[Patch | Line2D]:
    """What of it is in the picture."""
    handles: list[Patch | Line2D] = []
    fates = {event.fate for event in report.events}
    for fate, colour, phrase in (
        (Fate.HIT, _CALM, _EVENT_HIT),
        (Fate.MISSED, _MISSED, _EVENT_MISSED),
        (Fate.OUTSIDE, LIGHT, _EVENT_OUTSIDE),
    ):
        if fate in fates:
            label = phrase.in_language(language)
            handles.append(Patch(facecolor=colour, edgecolor=TEXT, label=label))
    met = {activation.met for activation in report.activations}
    for kind, colour, phrase in (
        (Met.HIT, DARK, _HIT),
        (Met.REPEATED, FILL, _REPEATED),
        (Met.FALSE_ALARM, STRONG, _FALSE),
    ):
        if kind in met:
            handles.append(_line(phrase, language, color=colour, marker="v", linestyle="none"))
    points = [point for measure in report.measures for point in measure.points]
    if any(point.activation is not None for point in points):
        handles.append(_line(_ACTIVATION, language, color=STRONG))
    if any(point.readiness is not None for point in points):
        handles.append(_line(_READINESS, language, color=MIDDLE, linestyle="--"))
    if any(point.value is None for point in points):
        handles.append(_line(_UNJUDGED, language, color=MIDDLE, marker="|", linestyle="none"))
    return handles


def _line(
    phrase: Phrase,
    language: Language,
    *,
    color: str,
    marker: str | None = None,
    linestyle: Literal["-", "--", "none"] = "-",
) -> Line2D:
    return Line2D(
        [], [], color=color, marker=marker, linestyle=linestyle, label=phrase.in_language(language)
    )


def _told(language: Language) -> FuncFormatter:
    def told(value: float, _: int) -> str:
        return numbers.number(round(value, 6)).in_language(language)

    return FuncFormatter(told)


def _format(axes: Axes, language: Language) -> None:
    axes.yaxis.set_major_formatter(_told(language))
    axes.grid(axis="y", color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_facecolor(PAPER)


def _date_ticks(axes: Axes, language: Language) -> None:
    def told(position: float, _: int) -> str:
        on = mdates.num2date(position).date()
        phrase = numbers.year(on) if (on.month, on.day) == (1, 1) else numbers.short_month(on)
        return phrase.in_language(language)

    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=4, maxticks=10))
    axes.xaxis.set_major_formatter(FuncFormatter(told))


def _number(day: date) -> float:
    return float(mdates.date2num(day))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
