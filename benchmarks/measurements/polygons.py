"""Laying a polygon over the communes against one intersection of the same polygon."""

import math
import time

import shapely

from benchmarks.figures import Bound, Figure, Pair, Reach, median_bare, median_measured, spread
from benchmarks.measurements.measured import Setting
from services.triggers.geography.boundaries import shipped_boundaries
from services.triggers.geography.overlap import lay_over
from services.triggers.geography.shapes import Point, polygon

NAME = "polygons"
POINTS = 5_000
_PAIRS = 15
_MIDDLE = (104.9, 12.4)
_HALF = (1.6, 1.3)
"""Degrees from the middle of the country: over some 1,200 communes, 500 of them in part."""


def measure(setting: Setting) -> list[Figure]:
    """From corners to the share of each commune, and one intersection with the country, in turn."""
    corners = flood()
    country = shapely.union_all(shipped_boundaries().shapes)
    pairs = []
    show = setting.world.show
    with show.phase("polygons: laid over communes", total=_PAIRS + 1) as phase:
        _measure_pair(corners, country)  # warms both up
        for done in range(1, _PAIRS + 1):
            phase.reach(done)
            pairs.append(_measure_pair(corners, country))
    laid = lay_over(polygon(corners))
    return [
        setting.figure(
            NAME,
            path=f"polygon of {POINTS:,} points over 1,633 communes",
            limit="one intersection of it with the outline of the country",
            value=median_measured(pairs),
            unit="ms",
            reach=Reach(bound=Bound.AT_MOST, value=100),
            measured=f"{median_measured(pairs):.0f} ms",
            bare=f"{median_bare(pairs):.0f} ms",
            details=[
                f"""
                {_PAIRS} times, from {POINTS:,} corners as an alert gives them, through the check
                and the mending, to the share of each of {len(laid.overlaps):,} communes.
                """,
                """
                The limit answers what area of the country lies within, and not where: one
                call of the same library (GEOS by shapely) on the same polygon, made before.
                """,
                spread(pairs),
            ],
        )
    ]


def flood() -> list[Point]:
    """The corners of a large shape with a ragged edge; the same each time."""
    corners = []
    for corner in range(POINTS):
        turn = 2 * math.pi * corner / POINTS
        reach = 1 + 0.15 * math.sin(40 * turn) + 0.1 * math.sin(333 * turn)
        corners.append(
            (
                _MIDDLE[0] + _HALF[0] * reach * math.cos(turn),
                _MIDDLE[1] + _HALF[1] * reach * math.sin(turn),
            )
        )
    return corners


def _measure_pair(corners: list[Point], country: object) -> Pair:
    began = time.perf_counter()
    lay_over(polygon(corners))
    measured = time.perf_counter() - began
    drawn = shapely.Polygon(corners)
    began = time.perf_counter()
    shapely.area(shapely.intersection(drawn, country))
    return Pair(1_000 * measured, 1_000 * (time.perf_counter() - began))
