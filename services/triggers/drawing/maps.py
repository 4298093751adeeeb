"""Maps: the country's provinces in outline, with the areas of some evidence filled."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from services.triggers.areas import COUNTRY
from services.triggers.drawing.canvas import FILL, LIGHT, MIDDLE, PAPER, TEXT, blank, wrapped
from services.triggers.drawing.pictures import MapPicture
from services.triggers.geography import outlines
from services.triggers.geography.names import own_name_of
from services.triggers.geography.outlines import Outline, Ring
from shared.wording.phrase import Language, Phrase

_WIDTH, _HEIGHT = 8.0, 7.2
_MAXIMUM_NAMES = 25
_LATITUDE = 12.6
"""The middle of the country: a degree of longitude is as long as it is there."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How an area is shown: told apart in greys as well."""

    label: Phrase
    colour: str
    hatch: str | None = None


_REACHED = _Kind(label=Phrase("reached", "តំបន់ដែលរាប់បញ្ចូល"), colour=FILL)
_WAITING = _Kind(
    label=Phrase("waits for a second person", "រង់ចាំការអនុម័ត"), colour="#b9c4cf", hatch="////"
)
_NOT_REACHED = _Kind(
    label=Phrase("named, and not reached", "បានរាយនាម តែមិនរាប់បញ្ចូល"), colour=LIGHT, hatch="...."
)
_SOURCES = Phrase(
    "Boundaries: geoBoundaries and OpenStreetMap (CC BY 4.0), WFP PRISM (MIT). They are simplified "
    "and say nothing of where a border runs.",
    "ព្រំប្រទល់៖ geoBoundaries និង OpenStreetMap (CC BY 4.0), WFP PRISM (MIT)។ "
    "ជាគំនូសសង្ខេប មិនមែនជាព្រំប្រទល់ផ្លូវការទេ។",
)


def draw_map(picture: MapPicture, language: Language) -> Figure:
    """The areas that were reached, those that wait, and those that were named and not reached."""
    figure = blank(width=_WIDTH, height=_HEIGHT)
    axes = figure.add_subplot()
    axes.set_aspect(float(1 / np.cos(np.radians(_LATITUDE))))
    axes.set_axis_off()
    for outline in outlines.provinces().values():
        axes.add_patch(
            PathPatch(_path(outline), facecolor="#f6f6f4", edgecolor=MIDDLE, linewidth=0.6)
        )
    _fill(axes, picture)
    _put_names(axes, picture, language)
    axes.autoscale_view()
    _put_legend(axes, picture, language)
    figure.suptitle(
        wrapped(picture.title.in_language(language), language, share=0.65),
        x=0.01,
        ha="left",
        fontsize=11,
    )
    figure.supxlabel(
        wrapped(_SOURCES.in_language(language), language, share=0.95),
        x=0.01,
        ha="left",
        fontsize=7,
        color=TEXT,
    )
    return figure


def _fill(axes: Axes, picture: MapPicture) -> None:
    """Fill every area once; the smaller lie over the larger that they are part of."""
    filled: dict[int, tuple[Outline, _Kind]] = {}
    for code, kind in sorted(_kinds(picture), key=lambda pair: (len(pair[0]), pair[0])):
        if code == COUNTRY:
            filled |= {id(each): (each, kind) for each in outlines.provinces().values()}
        elif outline := outlines.outline_of(code):
            # What is reached of a place that is shown whole is not hidden by what is not.
            filled.setdefault(id(outline), (outline, kind))
    for outline, kind in filled.values():
        axes.add_patch(
            PathPatch(
                _path(outline),
                facecolor=kind.colour,
                edgecolor=MIDDLE,
                linewidth=0.4,
                hatch=kind.hatch,
            )
        )


def _put_legend(axes: Axes, picture: MapPicture, language: Language) -> None:
    kinds = {kind.colour: kind for _, kind in _kinds(picture)}
    patches = [
        Patch(
            facecolor=kind.colour,
            edgecolor=MIDDLE,
            hatch=kind.hatch,
            label=kind.label.in_language(language),
        )
        for kind in kinds.values()
    ]
    if patches:
        axes.legend(handles=patches, loc="lower right", frameon=False, fontsize=9)


def _kinds(picture: MapPicture) -> list[tuple[str, _Kind]]:
    """Every area with how it is shown, what was reached first."""
    return [
        (code, kind)
        for codes, kind in (
            (picture.reached, _REACHED),
            (picture.waiting, _WAITING),
            (picture.not_reached, _NOT_REACHED),
        )
        for code in codes
    ]


def _put_names(axes: Axes, picture: MapPicture, language: Language) -> None:
    """The names of the areas, where there are few enough to be read."""
    named = [*picture.reached, *picture.waiting, *picture.not_reached]
    if len(named) > _MAXIMUM_NAMES or COUNTRY in named:
        named = []
    reached = set(picture.reached)
    for code in named:
        outline = outlines.outline_of(code)
        if outline is None:
            continue
        axes.annotate(
            own_name_of(code).in_language(language),
            _middle(outline),
            ha="center",
            va="center",
            fontsize=7,
            color=PAPER if code in reached else TEXT,
            # A name that reaches over its area stays readable.
            bbox={
                "facecolor": FILL if code in reached else PAPER,
                "edgecolor": "none",
                "pad": 0.6,
                "alpha": 0.8,
            },
        )


def _path(outline: Outline) -> Path:
    return Path.make_compound_path(
        *(Path(np.asarray(ring), closed=True) for polygon in outline for ring in polygon)
    )


def _middle(outline: Outline) -> tuple[float, float]:
    """The centre of gravity of the largest polygon's outer ring."""
    ring = np.asarray(max((polygon[0] for polygon in outline), key=_area))
    x, y = ring[:, 0], ring[:, 1]
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    weight = 3 * cross.sum()
    return (
        float(((x[:-1] + x[1:]) * cross).sum() / weight),
        float(((y[:-1] + y[1:]) * cross).sum() / weight),
    )


def _area(ring: Ring) -> float:
    points = np.asarray(ring)
    x, y = points[:, 0], points[:, 1]
    return float(abs((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2)
