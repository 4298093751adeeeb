"""Shapes as others draw them: taken, mended where that changes nothing that matters, or refused."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from services.triggers.geography.boundaries import LATITUDES, LONGITUDES

MAXIMUM_POINTS = 20_000
_KILOMETRES_OF_A_DEGREE = 111.195
_LARGEST_RADIUS_KILOMETRES = 2_000
_POINTS_OF_A_QUARTER = 16
_MOST_CHANGED = 0.05
"""A part of the area: where mending changes more than that, nobody knows what was meant."""

Point = tuple[float, float]
"""Longitude and latitude in degrees."""


class ShapeRefused(ValueError):
    """A shape that cannot be laid over anything; says why, for whoever published it."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A valid area, in degrees."""

    geometry: Any
    mended: bool = False
    """Whether its lines crossed themselves, and were taken apart."""


def polygon(outer: Sequence[Point], *, holes: Sequence[Sequence[Point]] = ()) -> Shape:
    """A polygon by its corners, closed or not; raises ShapeRefused."""
    rings = [_ring(ring) for ring in (outer, *holes)]
    if sum(map(len, rings)) > MAXIMUM_POINTS:
        raise ShapeRefused(f"A shape has {MAXIMUM_POINTS:,} points at most: simplify it.")
    return mended(shapely.Polygon(rings[0], rings[1:]))


def circle(centre: Point, *, radius_kilometres: float) -> Shape:
    """All that lies within so many kilometres of a point; raises ShapeRefused."""
    (longitude, latitude) = _ring_point(centre)
    if not 0 < radius_kilometres <= _LARGEST_RADIUS_KILOMETRES:
        raise ShapeRefused(
            f"A radius is above 0 and at most {_LARGEST_RADIUS_KILOMETRES:,} kilometres."
        )
    of_latitude = radius_kilometres / _KILOMETRES_OF_A_DEGREE
    of_longitude = of_latitude / max(0.01, math.cos(math.radians(latitude)))
    turns = np.linspace(0, 2 * math.pi, 4 * _POINTS_OF_A_QUARTER, endpoint=False)
    corners = np.column_stack(
        [longitude + of_longitude * np.cos(turns), latitude + of_latitude * np.sin(turns)]
    )
    return Shape(shapely.Polygon(corners))


def of_geojson(geometry: Any) -> Shape:
    """A Polygon or MultiPolygon of GeoJSON (RFC 7946), as parsed JSON; raises ShapeRefused."""
    match geometry:
        case {"type": "Polygon", "coordinates": [_, *_] as rings}:
            polygons = [rings]
        case {"type": "MultiPolygon", "coordinates": [_, *_] as polygons}:
            pass
        case {"type": "GeometryCollection", "geometries": _}:
            raise ShapeRefused("Collections of shapes are not read: send one feature for each.")
        case _:
            raise ShapeRefused("It is no Polygon and no MultiPolygon with coordinates.")
    if _points_in(polygons) > MAXIMUM_POINTS:
        raise ShapeRefused(f"A shape has {MAXIMUM_POINTS:,} points at most: simplify it.")
    parts = [
        polygon(_positions(rings[0]), holes=[_positions(ring) for ring in rings[1:]])
        if isinstance(rings, list) and rings
        else _refuse_rings()
        for rings in polygons
    ]
    return together(parts)


def together(shapes: Sequence[Shape]) -> Shape:
    """What any of the shapes covers."""
    return Shape(
        shapely.union_all([shape.geometry for shape in shapes]),
        mended=any(shape.mended for shape in shapes),
    )


def mended(geometry: Any) -> Shape:
    """A shape whose lines do not cross; raises ShapeRefused where it is none, or far away."""
    if shapely.is_valid(geometry):
        shape = Shape(geometry)
    else:
        # Where lines cross, what is enclosed an odd number of times is inside (even-odd rule),
        # and what is enclosed at all (structure). If the two differ much, nobody knows which.
        structured = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
        enclosed = shapely.area(structured)
        alternating = shapely.area(shapely.make_valid(geometry))
        if enclosed and abs(enclosed - alternating) / enclosed > _MOST_CHANGED:
            raise ShapeRefused(
                "Its lines cross, and what is inside can be read in two ways. Draw it without "
                "crossings."
            )
        shape = Shape(structured, mended=True)
    if not shapely.area(shape.geometry):
        raise ShapeRefused("It encloses nothing: a polygon has three corners at least.")
    _require_near(shape.geometry)
    return shape


def _require_near(geometry: Any) -> None:
    """Raises ShapeRefused where the shape only meets the country with its axes exchanged."""
    west, south, east, north = shapely.bounds(geometry)
    if not _meets_country(west, south, east, north) and _meets_country(south, west, north, east):
        raise ShapeRefused(
            "Latitude and longitude are exchanged: as written it lies far from the country."
        )


def _meets_country(west: float, south: float, east: float, north: float) -> bool:
    return bool(
        west <= LONGITUDES[1]
        and east >= LONGITUDES[0]
        and south <= LATITUDES[1]
        and north >= LATITUDES[0]
    )


def _ring(points: Iterable[Point]) -> list[Point]:
    ring = [_ring_point(point) for point in points]
    if len(set(ring)) < 3:
        raise ShapeRefused("It encloses nothing: a polygon has three corners at least.")
    return ring


def _ring_point(point: Point) -> Point:
    longitude, latitude = point
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise ShapeRefused("A coordinate is no number.")
    if not (-180 <= longitude <= 180 and -180 <= latitude <= 180):
        raise ShapeRefused("A coordinate lies beyond 180 degrees.")
    return longitude, latitude


def _positions(ring: Any) -> list[Point]:
    if not isinstance(ring, list):
        _refuse_rings()
    return [_position(position) for position in ring]


def _position(position: Any) -> Point:
    match position:
        case [int() | float() as longitude, int() | float() as latitude, *_] if not (
            isinstance(longitude, bool) or isinstance(latitude, bool)
        ):
            return _number(longitude), _number(latitude)
        case _:
            raise ShapeRefused("A position is a longitude and a latitude, as numbers.")


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ShapeRefused("A coordinate lies beyond 180 degrees.") from None


def _points_in(polygons: list[Any]) -> int:
    return sum(
        len(ring)
        for rings in polygons
        if isinstance(rings, list)
        for ring in rings
        if isinstance(ring, list)
    )


def _refuse_rings() -> Any:
    raise ShapeRefused("A polygon is a list of rings, and a ring a list of positions.")
