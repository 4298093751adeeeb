"""Ratios and reaches: the arithmetic that the table rests on."""

from pathlib import Path

import pytest

from benchmarks.figures import (
    Bound,
    Figure,
    Pair,
    Reach,
    load,
    median_bare,
    median_measured,
    median_ratio,
    percentile,
    save,
)
from tests.benchmarks.examples import figure


def test_the_ratio_is_the_median_over_the_pairs() -> None:
    disturbed = [Pair(12, 10), Pair(90, 10), Pair(13, 10)]

    assert median_ratio(disturbed) == pytest.approx(1.3)
    assert (median_measured(disturbed), median_bare(disturbed)) == (13, 10)


@pytest.mark.parametrize(
    ("bound", "value", "met"),
    [
        (Bound.AT_MOST, 1.3, True),
        (Bound.AT_MOST, 1.31, False),
        (Bound.AT_LEAST, 1.3, True),
        (Bound.AT_LEAST, 1.29, False),
    ],
)
def test_a_reach_includes_its_own_value(bound: Bound, value: float, met: bool) -> None:
    assert Reach(bound=bound, value=1.3).is_met(value) is met


def test_a_missed_reach_tells_by_how_much() -> None:
    too_slow = figure(value=1.95, reach=Reach(bound=Bound.AT_MOST, value=1.3))
    too_few = figure(value=0.3, reach=Reach(bound=Bound.AT_LEAST, value=0.6))

    assert too_slow.verdict == too_few.verdict == "falls short by 50%"
    assert figure(value=1.2).verdict == "reached"


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.99, 99), (1, 100), (0.001, 1)])
def test_percentiles_are_values_that_were_measured(part: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], part) == expected


def test_figures_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    kept: dict[str, Figure] = {"import": figure(name="import"), "events": figure(name="events")}
    save(path, kept)

    assert load(path) == kept
    assert load(tmp_path / "none.json") == {}
