"""The boundaries of communes that come with the product. Sources: see NOTICE.

Polygons are simplified, in degrees (WGS 84), longitude before latitude. Nine of the 1,633 carry no
code, because their names fit no commune of the gazetteer or several: they stay, so that what lies
in them is said to lie there, and no figure is given to them. 28 communes of the gazetteer have no
boundary under their code: they are among those nine, or younger than the boundaries, and what is
laid over the latter falls to the communes of which they were made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from shared.geography.outlines import features

Shapes = NDArray[np.object_]
"""Geometries of shapely."""

LONGITUDES = (102.0, 108.0)
LATITUDES = (9.5, 15.0)
"""Between which the country lies, with a margin of half a degree at most."""


@dataclass(frozen=True)
class Boundary:
    """One commune, as its boundary is marked."""

    code: str | None
    """None: no commune of the gazetteer is known to be this one."""
    name: str
    province: str


@dataclass(frozen=True, eq=False)
class Boundaries:
    """All communes: the same row of each column is one of them."""

    communes: Sequence[Boundary]
    shapes: Shapes
    areas: NDArray[np.float64]
    """In square degrees: for shares of one commune, within which a degree is a degree."""
    tree: Any
    """Finds the rows that a shape may meet."""

    @property
    def codes(self) -> list[str]:
        """Of the communes that carry one."""
        return [commune.code for commune in self.communes if commune.code is not None]


@cache
def shipped_boundaries() -> Boundaries:
    """The boundaries that come with the product; read once."""
    communes = features(6)
    shapes: Shapes = np.asarray(
        shapely.from_geojson([orjson.dumps(feature["geometry"]) for feature in communes])
    )
    return Boundaries(
        communes=[Boundary(**feature["properties"]) for feature in communes],
        shapes=shapes,
        areas=shapely.area(shapes),
        tree=shapely.STRtree(shapes),
    )
