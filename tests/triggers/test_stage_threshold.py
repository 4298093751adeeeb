"""The stage at gauges: days in a row, hysteresis, silence, k of n, and areas, by hand."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.methods.figures import Figures
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Order
from services.triggers.methods.severity import Severity
from services.triggers.methods.stage_threshold.document import StageThreshold
from services.triggers.methods.stage_threshold.method import STAGE_THRESHOLD
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.figures import daily, day_of, judged

FIRST = date(2022, 9, 1)
NONE, READINESS, ACTIVATION = (
    TriggerStage.NONE,
    TriggerStage.READINESS,
    TriggerStage.ACTIVATION,
)


def document(**changes: Any) -> StageThreshold:
    return StageThreshold.model_validate(
        {
            "kind": "stage-threshold",
            "levels": {
                "Kratie": {"readiness": 22, "activation": 23, "severe": 23.5, "extreme": 24}
            },
            "rearm": {"quiet_days": 5, "after_days": 60},
            **changes,
        }
    )


def by_day(values: list[float | None], rule: StageThreshold) -> list[Judgement]:
    return [
        judged(daily(values, first_on=FIRST), rule, day_of(FIRST + timedelta(days=step)))
        for step in range(len(values))
    ]


def stages(values: list[float | None], rule: StageThreshold) -> list[TriggerStage]:
    return [judgement.stage for judgement in by_day(values, rule)]


def test_a_stage_needs_its_days_in_a_row() -> None:
    rule = document(days_in_a_row=3)
    assert stages([23, 23, 22.9, 23, 23, 23.1], rule) == [
        NONE,
        NONE,
        READINESS,
        READINESS,
        READINESS,
        ACTIVATION,
    ]


def test_a_stage_lasts_until_the_water_lies_below_its_margin() -> None:
    # 22.70 is no less than 23 − 0.30; 21.69 is less than 22 − 0.30.
    assert stages([23, 22.9, 22.7, 22.69, 22.69, 21.69], document()) == [
        ACTIVATION,
        ACTIVATION,
        ACTIVATION,
        READINESS,
        READINESS,
        NONE,
    ]


def test_a_margin_is_taken_without_the_noise_of_binary_fractions() -> None:
    # 7.9 − 0.3 is 7.6000000000000005 in binary fractions.
    rule = document(levels={"Kratie": {"activation": 7.9}})
    assert stages([7.9, 7.6], rule) == [ACTIVATION, ACTIVATION]


def test_a_silent_gauge_cannot_be_judged_and_resets_nothing() -> None:
    rule = document(days_in_a_row=2)
    judgements = by_day([23, None, 23, None, 22.8], rule)
    assert [judgement.stage for judgement in judgements] == [
        NONE,
        NONE,
        ACTIVATION,
        NONE,
        ACTIVATION,
    ]
    assert [judgement.unjudged is not None for judgement in judgements] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_after_a_long_silence_days_are_counted_anew() -> None:
    rule = document(days_in_a_row=2, silent_days=2)
    assert stages([23, None, None, 23], rule)[-1] is ACTIVATION
    assert stages([23, None, None, None, 23], rule)[-1] is NONE


def test_nothing_known_at_all_is_not_calm() -> None:
    judgement = judged([], document(), day_of(FIRST))
    assert (judgement.stage, judgement.unjudged) == (NONE, "Kratie has no stage for 2022-09-01.")


@pytest.mark.parametrize(
    ("metres", "severity"),
    [(23.0, Severity.MODERATE), (23.5, Severity.SEVERE), (24.0, Severity.EXTREME)],
)
def test_severity_by_the_height(metres: float, severity: Severity) -> None:
    assert by_day([metres], document())[0].severity is severity


TWO = {
    "Kratie": {"activation": 23.0},
    "Stung Treng": {"activation": 12.0},
    "Koh Khel": {"activation": 8.4},
}


def network(kratie: float | None, stung_treng: float | None, koh_khel: float | None) -> Judgement:
    rule = document(
        levels=TWO, at_least_places=2, reaches={"Kratie": ["1002", "1004"], "Stung Treng": ["19"]}
    )
    figures = [
        *daily([kratie], first_on=FIRST),
        *daily([stung_treng], first_on=FIRST, place="Stung Treng", area="19"),
        *daily([koh_khel], first_on=FIRST, place="Koh Khel", area="08"),
        *daily([99.0], first_on=FIRST, place="Of no trigger", area="01"),
    ]
    return judged(figures, rule, day_of(FIRST))


def test_two_of_three_gauges_fire_for_the_areas_that_they_reach() -> None:
    assert network(23, 12, 1).areas == ("1002", "1004", "19")
    assert network(23, 1, 8.4).areas == ("08", "1002", "1004")
    assert network(23, 1, 1).stage is NONE
    assert network(23, 12, None).stage is ACTIVATION


def test_a_silent_gauge_makes_none_unsure_only_where_it_could_have_mattered() -> None:
    assert network(23, None, 1).unjudged == "Stung Treng has no stage for 2022-09-01."
    assert network(1, None, 1).unjudged is None
    assert network(1, None, None).unjudged is not None


def test_areas_are_those_of_the_trigger() -> None:
    rule = document(reaches={"Kratie": ["10", "1101"]})
    figures = daily([23.0], first_on=FIRST)
    assert judged(figures, rule, day_of(FIRST), areas=("1004", "11")).areas == ("1004", "1101")


def test_two_sources_of_one_gauge_count_at_their_median() -> None:
    figures = [
        *daily([23.2], first_on=FIRST),
        *daily([22.6], first_on=FIRST, source="DHRW"),
    ]
    evidence = judged(figures, document(), day_of(FIRST)).evidence
    assert evidence["places"][0]["metres"] == pytest.approx(22.9)


def after(values: list[float | None], *, on: int, rule: StageThreshold) -> Continuation:
    """Of an activation on the first day, how a later one stands to it."""
    known = Figures.of(daily(values, first_on=FIRST))
    series = STAGE_THRESHOLD.lay_out(known, rule, areas=["KH"])
    return STAGE_THRESHOLD.continues(
        series, rule, period=day_of(FIRST + timedelta(days=on)), earlier=day_of(FIRST)
    )


def test_a_flood_is_another_after_the_quiet_days_and_a_fall() -> None:
    fell: list[float | None] = [23, 22, *[23.0] * 60]
    assert after(fell, on=4, rule=document()).order is Order.SAME
    later = after(fell, on=5, rule=document())
    assert (later.order, "2022-09-02" in later.because) == (Order.LATER, True)


def test_a_flood_that_stands_or_is_silent_is_the_same() -> None:
    stands: list[float | None] = [23, 22.8, 22.7, *[23.0] * 60]
    silent: list[float | None] = [23, None, None, None, *[23.0] * 60]
    for values in (stands, silent):
        assert after(values, on=59, rule=document()).order is Order.SAME
        assert after(values, on=60, rule=document()).order is Order.LATER


def test_what_lies_long_before_is_earlier() -> None:
    series = STAGE_THRESHOLD.lay_out(Figures.of([]), document(), areas=["KH"])
    told = STAGE_THRESHOLD.continues(
        series, document(), period=day_of(FIRST), earlier=day_of(FIRST + timedelta(days=60))
    )
    assert told.order is Order.EARLIER


def by_states(values: list[float | None], rule: StageThreshold) -> list[bool]:
    """Whether activation lasts on each day, by a machine that goes from day to day."""
    level, release = 23.0, 22.7
    run = silence = 0
    lasts, found = False, []
    for value in values:
        if value is None:
            silence += 1
            found.append(False)
            continue
        if silence > rule.silent_days:
            run = 0
        silence = 0
        run = run + 1 if value >= level else 0
        lasts = run >= rule.days_in_a_row or (lasts and value >= release)
        found.append(lasts)
    return found


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.sampled_from([None, 21.0, 22.6, 22.7, 22.9, 23.0, 23.4]), min_size=1, max_size=25
    ),
    days=st.integers(1, 4),
    silent=st.integers(0, 3),
)
def test_the_columns_say_what_a_machine_of_states_says(
    values: list[float | None], days: int, silent: int
) -> None:
    rule = document(days_in_a_row=days, silent_days=silent)
    assert [stage is ACTIVATION for stage in stages(values, rule)] == by_states(values, rule)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.sampled_from([None, 21.0, 22.8, 23.0]), min_size=2, max_size=12),
    later=st.lists(st.sampled_from([None, 10.0, 30.0]), max_size=6),
)
def test_what_comes_later_changes_nothing(
    values: list[float | None], later: list[float | None]
) -> None:
    values = [22.0, *values]
    rule, day = document(days_in_a_row=2), day_of(FIRST + timedelta(days=len(values) - 1))
    alone = judged(daily(values, first_on=FIRST), rule, day)
    assert judged(daily([*values, *later], first_on=FIRST), rule, day) == alone


def test_a_longer_period_is_as_its_days() -> None:
    figures = daily([21, 23, 22.0], first_on=FIRST)
    week = Period(first_on=FIRST, last_on=FIRST + timedelta(days=6))
    judgement = judged(figures, document(), week)
    assert judgement.stage is ACTIVATION
    assert judgement.evidence["places"][0]["observed_on"] == "2022-09-02"


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": {}},
        {"levels": {"Kratie": {"readiness": 24, "activation": 23}}},
        {"levels": {"Kratie": {"activation": 23, "extreme": 22}}},
        {"levels": {"Kratie": {"activation": 2300}}},
        {"at_least_places": 2},
        {"reaches": {"Pakse": ["19"]}},
        {"reaches": {"Kratie": []}},
        {"reaches": {"Kratie": ["Kratie"]}},
        {"rearm": {"quiet_days": 9, "after_days": 8}},
        {"unknown": 1},
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        document(**changes)
