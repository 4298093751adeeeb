"""Nobody reports any more: that is no report of zero, and ends no readiness by itself."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import History
from services.triggers.evaluations.history import tell, tell_on
from services.triggers.methods.calendar import Calendar
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.registry import method_of
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow

DAY = date(2020, 10, 12)
CODE = "flood-reported-impact"
SHIPPED = shipped_document(CODE)
NONE, READINESS, ACTIVATION = TriggerStage.NONE, TriggerStage.READINESS, TriggerStage.ACTIVATION
PAUSE_DAYS = 30


def document(**readiness: Any) -> TriggerDocument:
    """The shipped trigger, with what its readiness says besides."""
    (leg,) = SHIPPED["legs"]
    ready = {**leg["method"]["readiness"], **readiness}
    leg = {**leg, "method": {**leg["method"], "readiness": ready}}
    return TriggerDocument.model_validate({**SHIPPED, "legs": [leg]})


def report(households: int, *, day: int = 0, late: int = 0) -> Figure:
    on = DAY + timedelta(days=day)
    return Figure("02", None, "HRF", on, on + timedelta(days=late), households)


def told(figures: Sequence[Figure], *, on: int, **readiness: Any) -> History:
    trigger = document(**readiness)
    known = Known(calendar=Calendar(), figures=Figures.of(figures))
    return tell(trigger, {trigger.legs[0].indicator: known}, on=DAY + timedelta(days=on))


def after(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.mark.parametrize("households", [12_000, 25_000])
def test_silence_is_told_as_what_cannot_be_judged_and_stands_nothing_down(households: int) -> None:
    assert len(told([report(households)], on=PAUSE_DAYS).steps) == 1
    history = told([report(households)], on=300)
    said, silent = history.steps
    assert (silent.decided_on, silent.stage) == (after(31), NONE)
    assert silent.judgement.unjudged is not None
    assert "Nobody has reported since 2020-10-12, for 30 days" in silent.judgement.unjudged
    assert "cannot be judged" in silent.judgement.unjudged
    (ready,) = history.readiness
    assert (ready.decided_on, ready.ended_on) == (DAY, None)
    assert [episode.ended for episode in history.episodes] == [None] * len(history.episodes)
    words = method_of(document().legs[0].method).reasons(silent.judgement.evidence, unit="")
    assert "silence is not calm" in words[-1].en
    assert said.judgement.unjudged is None


def test_a_report_ends_it_whether_of_zero_or_of_fewer_in_time_or_after_the_silence() -> None:
    for lower in (report(0, day=5), report(9_000, day=5), report(500, day=40)):
        (ready,) = told([report(12_000), lower], on=300).readiness
        assert ready.ended_on == lower.published_on
    # A lower report of an authority is heard, and there is no silence to tell after it.
    history = told([report(12_000), report(0, day=5)], on=300)
    assert all(step.judgement.unjudged is None for step in history.steps)


def test_the_document_may_say_after_how_many_days_of_silence_readiness_ends() -> None:
    for days, steps in ((10, [after(0), after(11)]), (50, [after(0), after(31), after(51)])):
        history = told([report(12_000)], on=300, stands_down_after_days=days)
        assert [step.decided_on for step in history.steps] == steps
        (ready,) = history.readiness
        assert ready.ended_on == after(days + 1)
        last = history.steps[-1].judgement
        assert (last.stage, last.unjudged) == (NONE, None)
        assert "by the trigger's document" in last.finding
    # A report within these days is of the same event, and the days count from it.
    history = told([report(12_000), report(11_000, day=8)], on=300, stands_down_after_days=10)
    assert [span.ended_on for span in history.readiness] == [after(19)]
    # One after them makes the trigger ready again.
    again = told([report(12_000), report(11_000, day=14)], on=300, stands_down_after_days=10)
    assert [(span.decided_on, span.ended_on) for span in again.readiness] == [
        (after(0), after(11)),
        (after(14), after(25)),
    ]


def test_the_rule_ends_readiness_and_closes_no_activation() -> None:
    history = told([report(25_000)], on=300, stands_down_after_days=10)
    (episode,) = history.episodes
    assert (episode.ended, episode.withdrawn) == (None, None)
    assert history.readiness[0].ended_on == after(11)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 500, 12_000, 25_000]), st.integers(0, 80), st.integers(0, 20)
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 160),
    st.sampled_from([None, 7, 45]),
)
@settings(max_examples=60, deadline=None)
def test_on_each_day_the_history_of_reports_is_what_it_was_on_that_day(
    given_reports: list[tuple[int, int, int]], on: int, rule: int | None
) -> None:
    figures = [report(count, day=day, late=late) for count, day, late in given_reports]
    by_then = [figure for figure in figures if figure.published_on <= after(on)]
    whole = told(figures, on=300, stands_down_after_days=rule)
    then = told(by_then, on=on, stands_down_after_days=rule)
    assert then.steps == tuple(step for step in whole.steps if step.decided_on <= after(on))
    # Only what was said, or the rule, ends a readiness.
    for span in whole.readiness:
        ending = [step for step in whole.steps if step.decided_on == span.ended_on]
        if span.ended_on is not None:
            assert any(step.judgement.unjudged is None for step in ending)
    if by_then:
        trigger = document(stands_down_after_days=rule)
        code = trigger.legs[0].indicator
        known = {code: Known(calendar=Calendar(), figures=Figures.of(by_then))}
        (due,) = tell_on(trigger, known, on=after(on)).lapses_on
        ahead = told(by_then, on=600, stands_down_after_days=rule).steps
        to_come = [step.decided_on for step in ahead if step.decided_on > after(on)]
        assert due == min(to_come, default=None)


async def test_silence_alarms_and_leaves_a_trigger_ready(working: Flow) -> None:
    working.go_to(DAY)
    await working.set_up(FLOOD_INDICATOR, CODE)
    row = {"area": "02", "source": "HRF", "observed_on": str(DAY), "published_on": str(DAY)}
    await working.record(FLOOD_INDICATOR, [{**row, "value": 12_000}])
    await working.caught_up()
    working.go_to(after(PAUSE_DAYS + 1))
    await working.caught_up()
    first, silent = await working.evaluations(CODE)
    assert (first["stage"], silent["outcome"]) == ("readiness", "unjudged")
    assert "cannot be judged" in silent["unjudged"]
    assert not await working.events("trigger-stood-down")
    (ready,) = (await working.got("/readiness"))["items"]
    assert ready["stood_down_on"] is None
    # A figure ends it, however late it comes.
    day = str(after(60))
    working.go_to(after(60))
    zero = {**row, "observed_on": day, "published_on": day, "value": 0}
    await working.record(FLOOD_INDICATOR, [zero])
    await working.caught_up()
    (event,) = await working.events("trigger-stood-down")
    assert event["stood_down_on"] == day
