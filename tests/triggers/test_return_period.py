"""Return periods against values worked by hand and SciPy; and what is not answered."""

from datetime import date, timedelta
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from scipy.stats.mstats import mquantiles

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.method import Order
from services.triggers.methods.return_period.document import ReturnPeriod
from services.triggers.methods.return_period.fits import Gumbel, gumbel, plotting_position_level
from services.triggers.methods.return_period.method import RETURN_PERIOD
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.unjudged import Unjudged
from tests.triggers.figures import daily, day_of, judged

MAXIMA = st.lists(
    st.floats(0.1, 90_000).map(lambda value: round(value, 3)), min_size=10, max_size=60
).filter(lambda values: max(values) - min(values) > 0.01)


def fitted(maxima: list[float]) -> Gumbel:
    found = gumbel(maxima)
    assert isinstance(found, Gumbel)
    return found


def test_gumbel_by_hand() -> None:
    # 1, 2, 4: b₀ = 7/3; b₁ = (0·1 + ½·2 + 1·4) / 3 = 5/3; λ₂ = 10/3 − 7/3 = 1.
    found = fitted([4, 1, 2])
    assert found.scale == pytest.approx(1 / log(2))
    assert found.location == pytest.approx(7 / 3 - 0.5772156649 / log(2))
    assert found.level(2) == pytest.approx(found.location - found.scale * log(log(2)))


@settings(max_examples=60, deadline=None)
@given(maxima=MAXIMA, years=st.floats(1.1, 200))
def test_gumbel_has_the_l_moments_of_the_record(maxima: list[float], years: float) -> None:
    mean, second = stats.lmoment(maxima, order=[1, 2])
    found = fitted(maxima)
    # Of Gumbel's distribution λ₁ is its mean and λ₂ half its mean difference: σ · ln 2.
    gumbel_r = stats.gumbel_r(found.location, found.scale)
    assert gumbel_r.mean() == pytest.approx(mean, rel=1e-9, abs=1e-7)
    assert found.scale * log(2) == pytest.approx(second, rel=1e-7, abs=1e-9)
    level = gumbel_r.ppf(1 - 1 / years)
    assert found.level(years) == pytest.approx(level, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(maxima=MAXIMA, years=st.floats(1.1, 60))
def test_plotting_positions_equal_scipy(maxima: list[float], years: float) -> None:
    expected = mquantiles(maxima, [1 - 1 / years], alphap=0, betap=0)[0]
    assert plotting_position_level(maxima, years) == pytest.approx(expected)


def test_plotting_positions_by_hand() -> None:
    # Nine years: the highest is reached once in 10 years, the second once in 5.
    maxima = [float(value) for value in range(1, 10)]
    assert plotting_position_level(maxima, 10) == pytest.approx(9)
    assert plotting_position_level(maxima, 5) == pytest.approx(8)
    # Halfway between the probabilities of 0.8 and 0.9.
    assert plotting_position_level(maxima, 1 / 0.15) == pytest.approx(8.5)


def test_a_river_that_never_changed_has_no_distribution() -> None:
    assert isinstance(gumbel([5.0] * 20), Unjudged)


def document(**changes: Any) -> ReturnPeriod:
    return ReturnPeriod.model_validate(
        {
            "kind": "return-period",
            "fit": "plotting-position",
            "return_periods": {"readiness": 2, "activation": 5, "severe": 10},
            "minimum_years": 10,
            "minimum_days_of_year": 1,
            "rearm": {"quiet_days": 5, "after_days": 200, "below_years": 2},
            **changes,
        }
    )


def yearly(values: list[float], *, first_year: int = 2000) -> list[Figure]:
    """One figure in each year, in September."""
    return [
        figure
        for step, value in enumerate(values)
        for figure in daily([value], first_on=date(first_year + step, 9, 15))
    ]


NINETEEN = [float(value) for value in range(1, 20)]
"""Of 2000 to 2018: 10 is reached once in 2 years, 16 in 5, 18 in 10."""


def in_2019(value: float, rule: ReturnPeriod) -> Judgement:
    figures = [*yearly(NINETEEN), *daily([value], first_on=date(2019, 9, 1))]
    return judged(figures, rule, day_of(date(2019, 9, 1)))


@pytest.mark.parametrize(
    ("value", "stage", "severity"),
    [
        (9.99, TriggerStage.NONE, Severity.MODERATE),
        (10, TriggerStage.READINESS, Severity.MODERATE),
        (16, TriggerStage.ACTIVATION, Severity.MODERATE),
        (18, TriggerStage.ACTIVATION, Severity.SEVERE),
    ],
)
def test_a_value_reaches_the_level_of_its_return_period(
    value: float, stage: TriggerStage, severity: Severity
) -> None:
    judgement = in_2019(value, document())
    assert (judgement.stage, judgement.severity) == (stage, severity)
    assert judgement.areas == (() if stage is TriggerStage.NONE else ("10",))


def test_the_year_that_is_judged_is_not_in_its_own_record() -> None:
    figures = [*yearly(NINETEEN), *daily([16.0, 500.0, 15.9], first_on=date(2019, 9, 1))]
    first, last = (
        judged(figures, document(), day_of(date(2019, 9, day))).evidence["places"][0]
        for day in (1, 3)
    )
    assert first["levels"] == last["levels"]
    assert (first["earlier_years"], first["highest_of_earlier_years"]) == (19, 19)


def test_a_flood_season_over_the_turn_of_the_year_is_of_one_year() -> None:
    figures = [*yearly(NINETEEN), *daily([90.0], first_on=date(2019, 1, 15))]
    day = day_of(date(2019, 2, 1))
    figures += daily([16.0], first_on=date(2019, 2, 1))
    rule = document(year_begins_in_month=4)
    # January 2019 lies in the year that began in April 2018, which is the one that is judged.
    assert judged(figures, rule, day).evidence["places"][0]["earlier_years"] == 18


def test_an_incomplete_year_is_left_out() -> None:
    whole = [daily([5.0 + year] * 365, first_on=date(2000 + year, 1, 1)) for year in range(11)]
    figures = [figure for year in whole for figure in year]
    figures = [
        figure for figure in figures if not date(2005, 6, 1) < figure.observed_on < date(2005, 8, 1)
    ]
    figures += daily([16.0], first_on=date(2011, 9, 1))
    judgement = judged(figures, document(minimum_days_of_year=347), day_of(date(2011, 9, 1)))
    assert judgement.evidence["places"][0]["earlier_years"] == 10
    few = judged(figures, document(minimum_days_of_year=347), day_of(date(2010, 9, 1)))
    assert (few.stage, few.unjudged) == (
        TriggerStage.NONE,
        "Kratie: 10 complete earlier years are needed; there are 9.",
    )


def test_a_silent_station_cannot_be_judged() -> None:
    judgement = judged(yearly(NINETEEN), document(), day_of(date(2019, 9, 1)))
    assert judgement.unjudged == "Kratie has no value for 2019-09-01."


def test_a_flood_is_another_after_the_water_fell_below_its_release() -> None:
    start = date(2019, 9, 1)

    def order_on(values: list[float | None], days: int) -> Order:
        known = Figures.of([*yearly(NINETEEN), *daily(values, first_on=start)])
        series = RETURN_PERIOD.lay_out(known, document(), areas=["KH"])
        return RETURN_PERIOD.continues(
            series, document(), period=day_of(start + timedelta(days=days)), earlier=day_of(start)
        ).order

    assert order_on([16, 12, 10, 11, 12, 13, 16], 6) is Order.SAME
    assert order_on([16, 12, 9.9, 11, 12, 13, 16], 6) is Order.LATER
    assert order_on([16, 12, None, None, 12, 13, 16], 6) is Order.SAME


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), later=st.lists(st.floats(1, 1_000), max_size=5))
def test_what_comes_later_changes_nothing(seed: int, later: list[float]) -> None:
    random = np.random.default_rng(seed)
    values = [float(value) for value in random.gumbel(40, 10, 25)]
    rule, day = document(fit="gumbel"), day_of(date(2024, 9, 15))
    alone = judged(yearly(values), rule, day)
    assert alone.unjudged is None
    assert judged(yearly([*values, *later]), rule, day) == alone


@pytest.mark.parametrize(
    "changes",
    [
        {"fit": "gumbel", "return_periods": {"activation": 21}},
        {"fit": "plotting-position", "return_periods": {"activation": 5, "extreme": 12}},
        {"return_periods": {"activation": 1}},
        {"return_periods": {"readiness": 6, "activation": 5}},
        {"minimum_years": 9},
        {"rearm": {"quiet_days": 5, "after_days": 200, "below_years": 6}},
    ],
)
def test_a_document_that_asks_more_than_the_record_can_say_is_refused(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
