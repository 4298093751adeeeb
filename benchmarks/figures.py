"""What a measurement comes to: a figure, the bare limit beside it, and whether the reach is met."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Bound(StrEnum):
    """On which side of the reach a figure should lie."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


class Reach(BaseModel):
    """What a figure should come to, in the figure's unit."""

    model_config = ConfigDict(frozen=True)

    bound: Bound
    value: float

    def is_met(self, figure: float) -> bool:
        return figure <= self.value if self.bound is Bound.AT_MOST else figure >= self.value

    def missed_by(self, figure: float) -> float:
        """How far short the figure falls, as a part of the reach; 0 where it is met."""
        return 0.0 if self.is_met(figure) else abs(figure - self.value) / self.value


class Figure(BaseModel):
    """One row of the table. ``unit`` is ``×`` for a ratio to the bare limit."""

    model_config = ConfigDict(frozen=True)

    name: str
    path: str
    limit: str
    value: float
    unit: str
    reach: Reach
    measured: str
    bare: str
    """The bare limit as it was measured; empty where the reach is absolute."""
    details: list[str] = []
    machine: str
    taken_on: str

    @property
    def is_reached(self) -> bool:
        return self.reach.is_met(self.value)

    @property
    def told(self) -> str:
        return told(self.value, self.unit)

    @property
    def reach_told(self) -> str:
        return f"{self.reach.bound} {told(self.reach.value, self.unit)}"

    @property
    def verdict(self) -> str:
        """``reached``, or by how much not."""
        if self.is_reached:
            return "reached"
        return f"falls short by {self.reach.missed_by(self.value):.0%}"


def told(value: float, unit: str) -> str:
    """A value with its unit, with as many digits as mean something."""
    return f"{value:.2f} {unit}" if unit == "×" else f"{value:,.0f} {unit}"


@dataclass(frozen=True)
class Pair:
    """The measured path and its bare limit, taken one after the other, in the same unit."""

    measured: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.measured / self.bare


def median_ratio(pairs: Sequence[Pair]) -> float:
    """The median of the pairs' ratios: a disturbance of the machine spoils one pair, not all."""
    return statistics.median(pair.ratio for pair in pairs)


def median_measured(pairs: Sequence[Pair]) -> float:
    return statistics.median(pair.measured for pair in pairs)


def median_bare(pairs: Sequence[Pair]) -> float:
    return statistics.median(pair.bare for pair in pairs)


def spread(pairs: Sequence[Pair]) -> str:
    """The ratio of every pair, in the order in which they were taken."""
    return "ratios of the pairs: " + ", ".join(f"{pair.ratio:.2f}" for pair in pairs)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that ``part`` (0 to 1) of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def load(path: Path) -> dict[str, Figure]:
    """The figures of earlier runs, by name."""
    if not path.exists():
        return {}
    return {
        name: Figure.model_validate(figure) for name, figure in json.loads(path.read_text()).items()
    }


def save(path: Path, figures: Mapping[str, Figure]) -> None:
    content = {name: figure.model_dump(mode="json") for name, figure in sorted(figures.items())}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
