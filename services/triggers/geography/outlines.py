"""The outlines of areas, simple enough to be drawn. Sources: see NOTICE."""

import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

Ring = Sequence[tuple[float, float]]
"""Longitudes and latitudes in degrees (WGS 84); the first point is the last."""
Outline = Sequence[Sequence[Ring]]
"""Polygons, each an outer ring and its holes."""

_FILES = ("provinces.geojson", "districts.geojson", "communes.geojson.gz")
"""Of codes of two, of four and of six digits."""


def provinces() -> Mapping[str, Outline]:
    """Every province's outline, by code."""
    return _outlines(_FILES[0])


def outline_of(code: str) -> Outline | None:
    """An area's outline, or that of the smallest larger area that has one; None: it has none.

    Boundaries are older than the newest districts and communes: what has none is shown by the
    district or the province that it lies in.
    """
    for digits, name in reversed(list(zip((2, 4, 6), _FILES, strict=True))):
        if len(code) >= digits and (found := _outlines(name).get(code[:digits])):
            return found
    return None


@cache
def _outlines(name: str) -> Mapping[str, Outline]:
    content = (files("services.triggers.geography") / "data" / name).read_bytes()
    collection = orjson.loads(gzip.decompress(content) if name.endswith(".gz") else content)
    return {
        feature["properties"]["code"]: _polygons(feature["geometry"])
        for feature in collection["features"]
        if feature["properties"]["code"]
    }


def _polygons(geometry: Mapping[str, Any]) -> Outline:
    coordinates: Outline = geometry["coordinates"]
    return coordinates if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
