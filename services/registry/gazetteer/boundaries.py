"""Boundaries of areas as GeoJSON (RFC 7946), in degrees (WGS 84), longitude before latitude.

They are those of the edition that ships: a code that is younger has none, and of a code that was
split, merged or given anew since, the boundary is the one that it had before.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import shapely

from services.registry.areas.tables import Area
from shared.geography.outlines import EDITION, NAMES, features

GEOJSON = "application/geo+json"
_METRES_OF_A_DEGREE = 111_195
_DECIMALS = 5

_OF_OPENSTREETMAP = "geoBoundaries gbOpen KHM, CC BY 4.0; © OpenStreetMap contributors"
_ATTRIBUTIONS = {
    2: "WFP-VAM/prism-app, MIT License, © 2020 World Food Programme",
    4: _OF_OPENSTREETMAP,
    6: _OF_OPENSTREETMAP,
}


@cache
def _outlines(digits: int) -> Mapping[str, bytes]:
    """By code: the geometry, as JSON."""
    return {
        code: orjson.dumps(feature["geometry"])
        for feature in features(digits)
        if (code := feature["properties"]["code"])
    }


def has_boundary(code: str) -> bool:
    """Whether a boundary of the area comes with the product."""
    return _outline_of(code) is not None


def _outline_of(code: str) -> bytes | None:
    return _outlines(len(code)).get(code) if len(code) in NAMES else None


def feature_of(area: Area) -> bytes:
    """An area that has a boundary, as a GeoJSON feature."""
    return orjson.dumps(_feature(area, _outline_of(area.code)))


def collection_of(
    areas: Sequence[Area], *, simplify_metres: int | None, next_cursor: str | None
) -> bytes:
    """Areas of one level as a GeoJSON collection, each with its boundary, or null where it has
    none. Simplified together, so that neighbours keep their border in common."""
    geometries = [_outline_of(area.code) for area in areas]
    if simplify_metres:
        geometries = _simplified(geometries, metres=simplify_metres)
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                _feature(area, geometry) for area, geometry in zip(areas, geometries, strict=True)
            ],
            "next_cursor": next_cursor,
        }
    )


def _simplified(geometries: Sequence[bytes | None], *, metres: int) -> list[bytes | None]:
    present = [at for at, geometry in enumerate(geometries) if geometry is not None]
    shapes = shapely.from_geojson([geometries[at] for at in present])
    # The measure of a coverage is an area: that of a triangle which may be left out.
    simple = shapely.coverage_simplify(shapes, metres / _METRES_OF_A_DEGREE)
    rounded = shapely.to_geojson(shapely.set_precision(simple, 10**-_DECIMALS, mode="pointwise"))
    found: list[bytes | None] = [None] * len(geometries)
    for at, geometry in zip(present, rounded.tolist(), strict=True):
        found[at] = geometry.encode()
    return found


def _feature(area: Area, geometry: bytes | None) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": area.code,
        "geometry": None if geometry is None else orjson.Fragment(geometry),
        "properties": {
            "code": area.code,
            "level": area.level,
            "parent_code": area.parent_code,
            "name_en": area.name_en,
            "name_km": area.name_km,
            "edition": area.edition,
            "boundary_edition": None if geometry is None else EDITION,
            "attribution": None if geometry is None else _ATTRIBUTIONS[len(area.code)],
        },
    }
