"""A figure to be changed."""

from typing import Any

from benchmarks.figures import Bound, Figure, Reach

_FIGURE = Figure(
    name="activation",
    path="activation → 700,000 instructions ready",
    limit="the same rows by bare INSERT … SELECT",
    value=1.2,
    unit="×",
    reach=Reach(bound=Bound.AT_MOST, value=1.3),
    measured="12.0 s",
    bare="10.0 s",
    details=["Taken in turn."],
    machine="2 cores",
    taken_on="2026-01-05",
)


def figure(**changes: Any) -> Figure:
    return _FIGURE.model_copy(update=changes)
