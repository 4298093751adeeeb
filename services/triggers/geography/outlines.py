"""The outlines of areas, simple enough to be drawn. Sources: see NOTICE."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from shared.geography.outlines import NAMES, features

Ring = Sequence[tuple[float, float]]
"""Longitudes and latitudes in degrees (WGS 84); the first point is the last."""
Outline = Sequence[Sequence[Ring]]
"""Polygons, each an outer ring and its holes."""


def provinces() -> Mapping[str, Outline]:
    """Every province's outline, by code."""
    return _outlines(2)


def outline_of(code: str) -> Outline | None:
    """An area's outline, or that of the smallest larger area that has one; None: it has none.

    Boundaries are older than the newest districts and communes: what has none is shown by the
    district or the province that it lies in.
    """
    for digits in sorted(NAMES, reverse=True):
        if len(code) >= digits and (found := _outlines(digits).get(code[:digits])):
            return found
    return None


@cache
def _outlines(digits: int) -> Mapping[str, Outline]:
    return {
        feature["properties"]["code"]: _polygons(feature["geometry"])
        for feature in features(digits)
        if feature["properties"]["code"]
    }


def _polygons(geometry: Mapping[str, Any]) -> Outline:
    coordinates: Outline = geometry["coordinates"]
    return coordinates if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
