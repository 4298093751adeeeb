"""A year's change: by hand, months in a row, missing months, and on the real prices of rice."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.method import Order
from services.triggers.methods.price_spike.series import month_after
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.year_on_year.document import YearOnYear
from services.triggers.methods.year_on_year.method import YEAR_ON_YEAR
from tests.triggers.data import rice_by_month
from tests.triggers.figures import judged, month_of, monthly

START = date(2020, 1, 1)
NONE, READINESS, ACTIVATION = (
    TriggerStage.NONE,
    TriggerStage.READINESS,
    TriggerStage.ACTIVATION,
)


def document(**changes: Any) -> YearOnYear:
    return YearOnYear.model_validate(
        {
            "kind": "year-on-year",
            "levels": {"readiness": 10, "activation": 20, "severe": 40},
            "months_in_a_row": 2,
            "rearm": {"quiet_months": 3, "back_to_percent": 5, "after_months": 18},
            **changes,
        }
    )


def after_a_year(*values: float | None) -> list[Figure]:
    """A year at 50, and what came then: 60 is a fifth more."""
    return monthly([*[50.0] * 12, *values], first_month=START)


def month(number: int) -> date:
    """The first of a month, counted from the first after the year."""
    return month_after(START, months=12 + number)


def last_of(*values: float | None, rule: YearOnYear | None = None) -> Judgement:
    return judged(after_a_year(*values), rule or document(), month_of(month(len(values) - 1)))


@pytest.mark.parametrize(
    ("values", "stage", "severity"),
    [
        ([60, 54.9], NONE, Severity.MODERATE),
        ([54.9, 60], NONE, Severity.MODERATE),
        ([55, 60], READINESS, Severity.MODERATE),
        ([60, 60], ACTIVATION, Severity.MODERATE),
        ([60, 70], ACTIVATION, Severity.SEVERE),
        ([70, 60], ACTIVATION, Severity.MODERATE),
    ],
)
def test_every_month_in_a_row_reaches_the_level(
    values: list[float], stage: TriggerStage, severity: Severity
) -> None:
    judgement = last_of(*values)
    assert (judgement.stage, judgement.severity) == (stage, severity)
    assert judgement.areas == ("KH",)


def test_a_whole_percent_is_that_percent() -> None:
    # 0.7 / 0.5 − 1 is 0.3999999999999999 in binary fractions.
    rule = document(months_in_a_row=1, levels={"activation": 40})
    figures = monthly([*[0.5] * 12, 0.7], first_month=START)
    assert judged(figures, rule, month_of(month(0))).stage is ACTIVATION


def test_a_fall_is_a_shock_where_the_document_says_so() -> None:
    rule = document(
        direction="low",
        levels={"readiness": -10, "activation": -20, "severe": -40},
        rearm={"quiet_months": 3, "back_to_percent": -5, "after_months": 18},
    )
    assert last_of(40, 39, rule=rule).stage is ACTIVATION
    assert last_of(45, 30, rule=rule).stage is READINESS
    assert last_of(60, 60, rule=rule).stage is NONE


def test_a_missing_month_is_no_calm_where_it_could_have_mattered() -> None:
    assert last_of(None, 60).unjudged is not None
    assert last_of(60, None).unjudged is not None
    assert last_of(60, None).stage is NONE
    assert last_of(None, 50).unjudged is None
    nothing = judged([], document(), month_of(START))
    assert (nothing.stage, nothing.unjudged is not None) == (NONE, True)
    # Nothing of the year before.
    assert judged(after_a_year(60), document(), month_of(month(-1))).unjudged is not None


def test_a_month_of_too_few_markets_is_missing() -> None:
    figures = [
        figure
        for market in ("Phnom Penh", "Battambang", "Siem Reap")
        for figure in monthly([*[50.0] * 12, 60, 60], first_month=START, place=market, area="12")
    ]
    rule = document(minimum_markets=3)
    assert judged(figures, rule, month_of(month(1))).stage is ACTIVATION
    assert judged(figures[1:], rule, month_of(month(1))).unjudged is not None
    assert judged(figures[:-1], rule, month_of(month(1))).unjudged is not None


def test_a_rise_is_another_after_the_quiet_months_and_a_fall() -> None:
    def order(*values: float | None) -> Order:
        series = YEAR_ON_YEAR.lay_out(
            Figures.of(after_a_year(60, *values)), document(), areas=["KH"]
        )
        return YEAR_ON_YEAR.continues(
            series, document(), period=month_of(month(len(values))), earlier=month_of(month(0))
        ).order

    assert order(52, 60) is Order.SAME
    assert order(60, 52, 60) is Order.LATER
    assert order(60, 52.5, 60) is Order.SAME
    assert order(60, None, 60) is Order.SAME


def test_after_months_and_before() -> None:
    series = YEAR_ON_YEAR.lay_out(Figures.of([]), document(), areas=["KH"])

    def order(period: int, earlier: int) -> Order:
        return YEAR_ON_YEAR.continues(
            series, document(), period=month_of(month(period)), earlier=month_of(month(earlier))
        ).order

    assert order(17, 0) is Order.SAME
    assert order(18, 0) is Order.LATER
    assert order(0, 18) is Order.EARLIER
    assert order(0, 5) is Order.SAME


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.none() | st.sampled_from([50.0, 55.0, 60.0]), min_size=1, max_size=5),
    later=st.lists(st.sampled_from([10.0, 900.0]), max_size=3),
)
def test_what_comes_later_changes_nothing(values: list[float | None], later: list[float]) -> None:
    period = month_of(month(len(values) - 1))
    alone = judged(after_a_year(*values), document(), period)
    assert judged(after_a_year(*values, *later), document(), period) == alone


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.none() | st.sampled_from([50.0, 55.0, 60.0]), min_size=2, max_size=4),
)
def test_what_is_missing_makes_the_difference_that_it_could(values: list[float | None]) -> None:
    judgement = last_of(*values)
    high = last_of(*[60 if value is None else value for value in values])
    is_missing = None in values[-2:]
    assert (judgement.unjudged is not None) == (is_missing and high.stage is not NONE)


def test_rice_of_2023_rose_by_a_fifth_for_three_months() -> None:
    figures = [
        Figure(
            row["area"],
            row["place"],
            row["source"],
            date.fromisoformat(row["observed_on"]),
            date.fromisoformat(row["published_on"]),
            row["value"],
        )
        for _, rows in rice_by_month()
        for row in rows
    ]
    rule = document(months_in_a_row=3, minimum_markets=3)
    known = Figures.of(figures)
    months = [month_after(date(2022, 1, 1), months=n) for n in range(36)]
    fired = [m for m in months if judged(known, rule, month_of(m)).stage is ACTIVATION]
    # By the medians of the standard library it was a fifth dearer from August 2023 to July 2024.
    assert fired == [month_after(date(2023, 10, 1), months=n) for n in range(10)]


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "low"},
        {"levels": {"readiness": 30, "activation": 20}},
        {"months_in_a_row": 0},
        {"rearm": {"quiet_months": 3, "back_to_percent": 25, "after_months": 18}},
        {"rearm": {"quiet_months": 3, "back_to_percent": 5, "after_months": 2}},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
