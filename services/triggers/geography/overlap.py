"""Which communes a shape covers, and what share of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from services.triggers.geography.boundaries import (
    Boundaries,
    Boundary,
    Shapes,
    shipped_boundaries,
)
from services.triggers.geography.shapes import Shape

_STRIPS = 16


class Overlap(NamedTuple):
    """A commune, and the share of it that a shape covers, above 0 and up to 1."""

    code: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A shape over the communes: in the order of their codes."""

    overlaps: Sequence[Overlap]
    without_code: Sequence[tuple[Boundary, float]]
    """What no figure can be given to: it covers such a share of a commune that has no code."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether it meets no commune at all."""
        return not self.overlaps and not self.without_code


def lay_over(shape: Shape, *, boundaries: Boundaries | None = None) -> Laid:
    """Which communes the shape covers, by what share; linear in its points and those it meets."""
    boundaries = boundaries or shipped_boundaries()
    met, shares = _shares(shape.geometry, boundaries)
    overlaps = []
    without_code = []
    for row, share in zip(met, shares, strict=True):
        commune = boundaries.communes[row]
        if share <= 0:
            continue
        if commune.code is None:
            without_code.append((commune, float(share)))
        else:
            overlaps.append(Overlap(commune.code, float(share)))
    return Laid(overlaps=sorted(overlaps), without_code=without_code)


def _shares(geometry: Any, boundaries: Boundaries) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    shapely.prepare(geometry)
    met = boundaries.tree.query(geometry, predicate="intersects")
    shares = np.ones(len(met))
    edge = np.flatnonzero(~shapely.covers(geometry, boundaries.shapes[met]))
    if len(edge):
        shapes = boundaries.shapes[met[edge]]
        nearby = _nearby(geometry, shapely.bounds(shapes))
        covered = shapely.area(shapely.intersection(shapes, nearby))
        shares[edge] = np.minimum(1.0, covered / boundaries.areas[met[edge]])
    return met, shares


def _nearby(geometry: Any, boxes: NDArray[np.float64]) -> Shapes:
    """For each box the part of the shape that lies in it.

    An intersection takes as many steps as both sides have points: so no commune looks at all of a
    long shape. It is cut into strips first, and each strip to the boxes in it.
    """
    parts = np.empty(len(boxes), np.object_)
    from_west = np.argsort(boxes[:, 0], kind="stable")
    for strip in np.array_split(from_west, min(_STRIPS, len(boxes))):
        around = np.concatenate([boxes[strip, :2].min(axis=0), boxes[strip, 2:].max(axis=0)])
        part = shapely.clip_by_rect(geometry, *around)
        if not shapely.is_valid(part):
            part = geometry
        for box in strip:
            parts[box] = shapely.clip_by_rect(part, *boxes[box])
    # Clipping is quick, and leaves lines that cross where a shape touches the box's edge.
    unclean = np.flatnonzero(~shapely.is_valid(parts))
    parts[unclean] = geometry
    return parts
