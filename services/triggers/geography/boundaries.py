"""The outlines of provinces and districts, simple enough to be drawn. Sources: see NOTICE."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import orjson

Ring = Sequence[tuple[float, float]]
"""Longitudes and latitudes in degrees (WGS 84); the first point is the last."""
Outline = Sequence[Sequence[Ring]]
"""Polygons, each an outer ring and its holes."""

_PROVINCE_CODE_LENGTH = 2
_DISTRICT_CODE_LENGTH = 4


def provinces() -> Mapping[str, Outline]:
    """Every province's outline, by code."""
    return _outlines("provinces")


def outline_of(code: str) -> Outline | None:
    """An area's outline, or that of the smallest larger area that has one; None: it has none.

    Districts are as they were drawn before the newest 13, so what lies in one of those is shown
    by its province.
    """
    found = None
    if len(code) >= _DISTRICT_CODE_LENGTH:
        found = _outlines("districts").get(code[:_DISTRICT_CODE_LENGTH])
    return found or _outlines("provinces").get(code[:_PROVINCE_CODE_LENGTH])


@cache
def _outlines(name: str) -> Mapping[str, Outline]:
    source = files("services.triggers.geography") / "data" / f"{name}.geojson"
    collection = orjson.loads(source.read_bytes())
    return {
        feature["properties"]["code"]: feature["geometry"]["coordinates"]
        for feature in collection["features"]
    }
