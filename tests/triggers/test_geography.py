"""Polygons laid over the communes: against shapely's plain intersection, and by hand."""

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.geography.boundaries import shipped_boundaries
from services.triggers.geography.overlap import lay_over
from services.triggers.geography.shapes import (
    MAXIMUM_POINTS,
    Point,
    Shape,
    ShapeRefused,
    circle,
    of_geojson,
    polygon,
)

SQUARE: list[Point] = [(104.8, 11.5), (105.0, 11.5), (105.0, 11.7), (104.8, 11.7)]


def star(longitude: float, latitude: float, radius: float, *, points: int, teeth: int) -> Shape:
    """A shape with many teeth, as a flood's edge has them."""
    return polygon(
        [
            (
                longitude + radius * (1 + 0.2 * math.sin(teeth * turn)) * math.cos(turn),
                latitude + radius * (1 + 0.2 * math.sin(teeth * turn)) * math.sin(turn),
            )
            for turn in (2 * math.pi * point / points for point in range(points))
        ]
    )


def plainly(shape: Shape) -> dict[str, float]:
    """The shares by one intersection for each commune."""
    boundaries = shipped_boundaries()
    cut = shapely.area(shapely.intersection(boundaries.shapes, shape.geometry))
    return {
        commune.code: share
        for commune, share in zip(boundaries.communes, cut / boundaries.areas, strict=True)
        if commune.code is not None and share > 0
    }


@settings(max_examples=10)
@given(
    st.floats(102.5, 107.5),
    st.floats(10.0, 14.5),
    st.floats(0.02, 1.0),
    st.integers(3, 40),
)
def test_shares_are_those_of_a_plain_intersection(
    longitude: float, latitude: float, radius: float, teeth: int
) -> None:
    shape = star(longitude, latitude, radius, points=300, teeth=teeth)
    shares = {overlap.code: overlap.share for overlap in lay_over(shape).overlaps}
    assert shares == pytest.approx(plainly(shape), abs=1e-9)


def test_the_whole_country_covers_every_commune_whole() -> None:
    laid = lay_over(polygon([(102, 9), (108, 9), (108, 15), (102, 15)]))
    assert len(laid.overlaps) == 1_624
    assert {overlap.share for overlap in laid.overlaps} == {1.0}
    assert len(laid.without_code) == 9
    assert [overlap.code for overlap in laid.overlaps] == sorted(shipped_boundaries().codes)


def test_what_lies_elsewhere_meets_nothing() -> None:
    assert lay_over(polygon([(0, 0), (1, 0), (1, 1)])).is_elsewhere
    assert not lay_over(polygon(SQUARE)).is_elsewhere


def test_a_hole_is_left_out() -> None:
    code = "120101"
    boundaries = shipped_boundaries()
    row = next(i for i, commune in enumerate(boundaries.communes) if commune.code == code)
    hole = list(shapely.get_coordinates(shapely.envelope(boundaries.shapes[row])))
    with_hole = polygon(SQUARE, holes=[[(float(x), float(y)) for x, y in hole]])
    assert code in {overlap.code for overlap in lay_over(polygon(SQUARE)).overlaps}
    assert code not in {overlap.code for overlap in lay_over(with_hole).overlaps}


def test_a_line_that_crosses_itself_slightly_is_mended_and_told() -> None:
    # A spike that leaves the edge, and comes back over itself.
    spiked = polygon([*SQUARE[:2], (105.0, 11.6), (105.001, 11.61), (104.999, 11.61), *SQUARE[2:]])
    assert not polygon(SQUARE).mended
    assert shapely.is_valid(spiked.geometry)
    doubled = polygon([*SQUARE[:2], (105.0, 11.6), (105.1, 11.6), (105.0, 11.6), *SQUARE[2:]])
    assert doubled.mended
    assert shapely.area(doubled.geometry) == pytest.approx(0.04, rel=1e-3)


def test_a_shape_that_winds_twice_can_be_read_in_two_ways_and_is_refused() -> None:
    inner: list[Point] = [(104.85, 11.55), (104.95, 11.55), (104.95, 11.65), (104.85, 11.65)]
    with pytest.raises(ShapeRefused, match="two ways"):
        polygon([*SQUARE, SQUARE[0], *inner, inner[0]])


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(11.5, 104.8), (11.5, 105.0), (11.7, 105.0)], "exchanged"),
        ([(104.8, 11.5), (105.0, 11.5)], "encloses nothing"),
        ([(104.8, 11.5), (105.0, 11.5), (104.9, 11.5)], "encloses nothing"),
        ([(104.8, 11.5), (math.nan, 11.5), (104.9, 11.6)], "no number"),
        ([(104.8, 11.5), (1e9, 11.5), (104.9, 11.6)], "180 degrees"),
        ([(104 + i / 1e6, 11.0 + i % 2) for i in range(MAXIMUM_POINTS + 1)], "points at most"),
    ],
)
def test_a_shape_that_is_none_is_refused_with_its_reason(points: list[Point], reason: str) -> None:
    with pytest.raises(ShapeRefused, match=reason):
        polygon(points)


def test_a_circle_is_as_wide_as_it_says() -> None:
    area = shapely.area(circle((104.9, 11.55), radius_kilometres=10).geometry)
    square_kilometres = area * 111.195**2 * math.cos(math.radians(11.55))
    assert square_kilometres == pytest.approx(math.pi * 100, rel=0.01)
    with pytest.raises(ShapeRefused, match="radius"):
        circle((104.9, 11.55), radius_kilometres=0)


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Point", "coordinates": [104.8, 11.5]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [7]},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[10**400, 1], [1, 2], [2, 3]]]},
        {"type": "MultiPolygon", "coordinates": [7]},
        {"type": "GeometryCollection", "geometries": []},
    ],
)
def test_geojson_that_is_no_polygon_is_refused(geometry: object) -> None:
    with pytest.raises(ShapeRefused):
        of_geojson(geometry)
