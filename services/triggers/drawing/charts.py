"""Charts: series over time or figures side by side, against the levels that they are held to."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator

from services.triggers.drawing.canvas import (
    DARK,
    LIGHT,
    MIDDLE,
    PAPER,
    STRONG,
    TEXT,
    blank,
    wrapped,
)
from services.triggers.drawing.pictures import ChartPicture
from services.triggers.methods.chart import Bar, Bars, Level, Series
from shared.wording import numbers
from shared.wording.phrase import Language, Phrase, sentences

_WIDTH = 9.0
_SERIES_HEIGHT = 3.4
_BAR_HEIGHT = 0.24
_LEAST_BARS_HEIGHT = 0.3
_LABEL_POINTS = 12
_WORDS_HEIGHT = 1.1
_STYLES = ("-", "--", "-.", ":")
_DAYS_IN_A_MONTH_VIEW = 75
_DAYS_IN_A_YEAR_VIEW = 1_500
_NO_FIGURE_TAKEN_IN = Phrase("no figure; taken in", "គ្មានតួលេខ; រាប់បញ្ចូល")
_NO_FIGURE_LEFT_OUT = Phrase("no figure; left out", "គ្មានតួលេខ; មិនរាប់បញ្ចូល")


def draw_charts(picture: ChartPicture, language: Language) -> Figure:
    """Every chart of a picture, from top to bottom, each with its title."""
    panels = [(chart, panel) for chart in picture.charts for panel in chart.panels]
    heights = [_height(panel) for _, panel in panels]
    figure = blank(width=_WIDTH, height=sum(heights) + _WORDS_HEIGHT)
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    titled = None
    for place, (chart, panel) in enumerate(panels):
        axes = figure.add_subplot(grid[place])
        if chart is not titled and len(picture.charts) > 1:
            axes.set_title(chart.title.in_language(language), loc="left", fontsize=10)
            titled = chart
        match panel:
            case Series():
                _draw_series(axes, panel, language)
            case Bars():
                _draw_bars(axes, panel, language)
            case other:
                assert_never(other)
    _put_words(figure, picture, language)
    return figure


def _height(panel: Series | Bars) -> float:
    if isinstance(panel, Series):
        return _SERIES_HEIGHT
    return max(_LEAST_BARS_HEIGHT, _BAR_HEIGHT * len(panel.bars)) + 0.6 + 0.17 * len(panel.levels)


def _put_words(figure: Figure, picture: ChartPicture, language: Language) -> None:
    """The title above, and below what else is to be known: notes and sources."""
    title = picture.charts[0].title if len(picture.charts) == 1 else picture.about
    about = picture.about if len(picture.charts) == 1 else Phrase("", "")
    figure.suptitle(
        "\n".join(
            line
            for line in (
                wrapped(title.in_language(language), language, share=0.75),
                wrapped(about.in_language(language), language, share=0.75),
            )
            if line
        ),
        x=0.01,
        ha="left",
        fontsize=11,
    )
    notes = sentences(chart.note for chart in picture.charts)
    published = ", ".join(picture.sources)
    source = Phrase(f"Source: {published}.", f"ប្រភព៖ {published}។") if published else None
    lines = [wrapped(notes.in_language(language).strip(), language)]
    if source:
        lines.append(wrapped(source.in_language(language), language))
    figure.supxlabel(
        "\n".join(line for line in lines if line), x=0.01, ha="left", fontsize=8, color=TEXT
    )


def _draw_series(axes: Axes, panel: Series, language: Language) -> None:
    for place, line in enumerate(panel.lines):
        days = [mdates.date2num(point.on) for point in line.points]
        values = [float("nan") if point.value is None else point.value for point in line.points]
        axes.plot(
            days,
            values,
            linestyle=_STYLES[place % len(_STYLES)],
            linewidth=1.6,
            color=DARK if place < len(_STYLES) else MIDDLE,
            marker="o" if len(days) <= 40 else None,
            markersize=3.5,
            label=line.label.in_language(language) or None,
        )
    _mark(axes, panel, language)
    _draw_levels(axes, panel.levels, language)
    _date_ticks(axes, panel, language)
    axes.yaxis.set_major_formatter(_Figures(language))
    axes.set_ylabel(panel.unit.in_language(language))
    axes.grid(axis="y", color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(y=0.15)
    if any(line.label.en for line in panel.lines):
        axes.legend(loc="upper left", frameon=False, fontsize=8)


def _mark(axes: Axes, panel: Series, language: Language) -> None:
    """The days that were judged: a grey band, and the values on them ringed and told."""
    if panel.marked is None:
        return
    first, last = (float(mdates.date2num(day)) for day in panel.marked)
    if last > first:
        axes.axvspan(first, last, color=LIGHT, alpha=0.6, linewidth=0)
    for line in panel.lines:
        for point in line.points:
            if point.value is None or not panel.marked[0] <= point.on <= panel.marked[1]:
                continue
            on = float(mdates.date2num(point.on))
            axes.plot(
                [on],
                [point.value],
                "o",
                markersize=8,
                markerfacecolor=PAPER,
                markeredgecolor=STRONG,
                markeredgewidth=2,
                zorder=5,
            )
            if last == first:
                axes.annotate(
                    numbers.number(point.value).in_language(language),
                    (on, point.value),
                    textcoords="offset points",
                    xytext=(-8, 6),
                    ha="right",
                    fontsize=10,
                )


def _draw_levels(axes: Axes, levels: Sequence[Level], language: Language) -> None:
    for level in levels:
        axes.axhline(
            level.value,
            color=STRONG if level.pays else MIDDLE,
            linestyle="-" if level.pays else "--",
            linewidth=1.8 if level.pays else 1.1,
            zorder=1,
        )
    for level, height in _apart(axes, levels):
        axes.annotate(
            level.label.in_language(language),
            (1.0, level.value),
            xycoords=("axes fraction", "data"),
            xytext=(1.01, height),
            textcoords=("axes fraction", "axes fraction"),
            va="center",
            fontsize=8,
            color=STRONG if level.pays else TEXT,
        )


def _apart(axes: Axes, levels: Sequence[Level]) -> list[tuple[Level, float]]:
    """The heights of the levels' words, as shares of the axes', so that none covers another."""
    axes.autoscale_view()
    axes.margins(y=0.15)
    bottom, top = axes.get_ylim()
    placed: list[tuple[Level, float]] = []
    for level in sorted(levels, key=lambda each: each.value):
        height = (level.value - bottom) / (top - bottom)
        if placed:
            height = max(height, placed[-1][1] + 0.07)
        placed.append((level, height))
    return placed


def _date_ticks(axes: Axes, panel: Series, language: Language) -> None:
    days = [point.on for line in panel.lines for point in line.points]
    length = (max(days) - min(days)).days

    def told(position: float, _: int) -> str:
        on = mdates.num2date(position).date()
        return _tick(on, length).in_language(language)

    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(told))


def _tick(on: date, days: int) -> Phrase:
    if days <= _DAYS_IN_A_MONTH_VIEW:
        return numbers.short_day(on)
    return numbers.short_month(on) if days <= _DAYS_IN_A_YEAR_VIEW else numbers.year(on)


def _draw_bars(axes: Axes, panel: Bars, language: Language) -> None:
    places = range(len(panel.bars))
    axes.barh(
        places,
        [bar.value or 0 for bar in panel.bars],
        color=[DARK if bar.reached else LIGHT for bar in panel.bars],
        edgecolor=DARK,
        linewidth=0.8,
        height=0.7,
    )
    for place, bar in enumerate(panel.bars):
        if bar.level is not None:
            axes.plot([bar.level] * 2, [place - 0.45, place + 0.45], color=STRONG, linewidth=2.5)
        axes.annotate(
            _said_of(bar).in_language(language),
            (bar.value or 0, place),
            textcoords="offset points",
            xytext=(4, 0),
            va="center",
            fontsize=8,
            # The line of a level runs behind it.
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
            zorder=4,
        )
    axes.set_yticks(places, [bar.label.in_language(language) for bar in panel.bars])
    axes.set_ylim(len(panel.bars) - 0.4, -0.6)
    ends = [
        0.0,
        *(bar.value or 0 for bar in panel.bars),
        *(bar.level or 0 for bar in panel.bars),
        *(level.value for level in panel.levels),
    ]
    room = (max(ends) - min(ends)) * 0.18 or 1
    axes.set_xlim(min(ends) - (room if min(ends) < 0 else 0), max(ends) + room)
    for row, level in enumerate(sorted(panel.levels, key=lambda each: -each.value)):
        colour = STRONG if level.pays else TEXT
        axes.axvline(
            level.value,
            color=colour,
            linestyle="-" if level.pays else "--",
            linewidth=1.8 if level.pays else 1.1,
        )
        axes.annotate(
            level.label.in_language(language),
            (level.value, 1.0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(3, 3 + _LABEL_POINTS * row),
            va="bottom",
            fontsize=8,
            color=colour,
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.xaxis.set_major_formatter(_Figures(language))
    axes.set_xlabel(panel.unit.in_language(language))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)


def _said_of(bar: Bar) -> Phrase:
    if bar.value is not None:
        return numbers.number(bar.value)
    return _NO_FIGURE_TAKEN_IN if bar.reached else _NO_FIGURE_LEFT_OUT


class _Figures(Formatter):
    """The figures of an axis, all with as many decimals as the finest of them needs."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def __call__(self, value: float, pos: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        decimals = max((_decimals(value) for value in values), default=0)
        return [
            numbers.number(value, decimals=decimals).in_language(self._language) for value in values
        ]


def _decimals(value: float) -> int:
    return next((count for count in range(4) if abs(round(value, count) - value) < 1e-9), 4)
