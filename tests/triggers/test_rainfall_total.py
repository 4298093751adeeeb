"""Rain over so many days: sums by hand, and days that are missing."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.method import Order
from services.triggers.methods.rainfall_total.document import RainfallTotal
from services.triggers.methods.rainfall_total.method import RAINFALL_TOTAL
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.figures import daily, day_of, judged

FIRST = date(2020, 10, 1)


def document(**changes: Any) -> RainfallTotal:
    return RainfallTotal.model_validate(
        {
            "kind": "rainfall-total",
            "days": 3,
            "levels": {"readiness": 100, "activation": 200, "extreme": 300},
            "rearm": {"quiet_days": 3, "after_days": 30, "below_millimetres": 50},
            **changes,
        }
    )


def on_last(values: list[float | None], rule: RainfallTotal | None = None) -> Judgement:
    return judged(
        daily(values, first_on=FIRST, place=None, area="02"),
        rule or document(),
        day_of(FIRST + timedelta(days=len(values) - 1)),
    )


@pytest.mark.parametrize(
    ("values", "stage", "severity"),
    [
        ([500, 0, 0, 99.9], TriggerStage.NONE, Severity.MODERATE),
        ([500, 0, 0, 100], TriggerStage.READINESS, Severity.MODERATE),
        ([0, 66.6, 66.7, 66.7], TriggerStage.ACTIVATION, Severity.MODERATE),
        ([0, 100, 100, 100], TriggerStage.ACTIVATION, Severity.EXTREME),
    ],
)
def test_the_rain_of_the_last_days_is_added_up(
    values: list[float | None], stage: TriggerStage, severity: Severity
) -> None:
    judgement = on_last(values)
    assert (judgement.stage, judgement.severity) == (stage, severity)


def test_a_sum_has_no_noise_of_binary_fractions() -> None:
    rearm = {"quiet_days": 3, "after_days": 30, "below_millimetres": 1}
    tenths = document(days=10, levels={"activation": 1}, rearm=rearm)
    assert sum([0.1] * 10) < 1
    assert on_last([0.1] * 10, tenths).stage is TriggerStage.ACTIVATION


def test_what_is_known_is_the_least_that_fell() -> None:
    enough = on_last([150, None, 60])
    assert (enough.stage, enough.unjudged) == (TriggerStage.ACTIVATION, None)
    assert "at least 210.0 mm" in enough.finding
    unknown = on_last([50, None, 40])
    assert (unknown.stage, unknown.unjudged) == (
        TriggerStage.NONE,
        "02: 1 of the 3 days up to 2020-10-03 have no rain figure; 90.0 mm are known.",
    )


def test_stations_speak_for_what_they_reach_and_areas_for_themselves() -> None:
    rule = document(at_least_places=2, reaches={"Pailin": ["24", "0210"]})
    figures = [
        *daily([0, 0, 250.0], first_on=FIRST, place="Pailin", area="24"),
        *daily([0, 0, 220.0], first_on=FIRST, place=None, area="02"),
    ]
    day = day_of(FIRST + timedelta(days=2))
    assert judged(figures, rule, day, areas=["02", "24"]).areas == ("02", "0210", "24")
    # What lies outside of the trigger's areas does not count.
    alone = judged(figures, rule, day, areas=["24"])
    assert (alone.stage, alone.unjudged is not None) == (TriggerStage.NONE, True)


def test_a_place_that_nobody_named_is_awaited_for_a_year() -> None:
    figures = daily([0, 0, 0], first_on=FIRST, place=None, area="02")
    figures += [Figure("03", None, "old", day := date(2015, 1, 1), day, 10.0)]
    assert judged(figures, document(), day_of(FIRST + timedelta(days=2))).unjudged is None


def test_it_rains_anew_once_the_total_is_known_to_have_fallen() -> None:
    def order(*between: float | None) -> Order:
        figures = Figures.of(
            daily([0, 0, 220, *between, 250], first_on=FIRST, place=None, area="02")
        )
        series = RAINFALL_TOTAL.lay_out(figures, document(), areas=["KH"])
        fired = FIRST + timedelta(days=2)
        later = fired + timedelta(days=len(between) + 1)
        return RAINFALL_TOTAL.continues(
            series, document(), period=day_of(later), earlier=day_of(fired)
        ).order

    assert order(10, 10, 10) is Order.LATER
    assert order(20, 20, 20) is Order.SAME
    assert order(10, None, 10, 10) is Order.SAME


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.none() | st.floats(0, 200).map(lambda mm: round(mm, 1)), max_size=9),
    later=st.lists(st.floats(0, 200), max_size=4),
)
def test_it_is_the_plain_sum_and_what_comes_later_changes_nothing(
    values: list[float | None], later: list[float | None]
) -> None:
    values = [1.0, *values]
    judgement = on_last(values)
    (place,) = judgement.evidence["places"]
    window = [None, None, *values][-3:]
    assert place["millimetres"] == pytest.approx(sum(mm or 0 for mm in window), abs=1e-3)
    assert place["days_missing"] == window.count(None)
    figures = daily([*values, *later], first_on=FIRST, place=None, area="02")
    day = day_of(FIRST + timedelta(days=len(values) - 1))
    assert judged(figures, document(), day) == judgement


@pytest.mark.parametrize(
    "changes",
    [
        {"days": 0},
        {"levels": {"activation": 0}},
        {"rearm": {"quiet_days": 3, "after_days": 30, "below_millimetres": 201}},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
