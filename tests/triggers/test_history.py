"""What a trigger has to say of what was known: from plain values, without a database."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known, next_due
from services.triggers.evaluations.episodes import History
from services.triggers.evaluations.history import tell
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from tests.triggers.data import flood_reports, rice_by_month

FLOOD = TriggerDocument.model_validate(shipped_document("flood-reported-impact"))
RICE = TriggerDocument.model_validate(shipped_document("rice-price-spike"))
MONTHLY = Calendar(frequency=Frequency.MONTH, waits_days=10)


def figure(row: dict[str, Any]) -> Figure:
    return Figure(
        area=row["area"],
        place=row.get("place"),
        source=row["source"],
        observed_on=date.fromisoformat(row["observed_on"]),
        published_on=date.fromisoformat(row["published_on"]),
        value=row["value"],
    )


RICE_FIGURES = [figure(row) for _, rows in rice_by_month() for row in rows]
FLOOD_FIGURES = [figure(row) for _, rows in flood_reports() for row in rows]


def rice(
    figures: Iterable[Figure] = RICE_FIGURES, *, on: date, calendar: Calendar = MONTHLY
) -> History:
    known = Known(calendar=calendar, figures=Figures.of(figures))
    return tell(RICE, {RICE.legs[0].indicator: known}, on=on)


def flood(figures: Iterable[Figure] = FLOOD_FIGURES, *, on: date) -> History:
    known = Known(calendar=Calendar(), figures=Figures.of(figures))
    return tell(FLOOD, {FLOOD.legs[0].indicator: known}, on=on)


def test_the_flood_of_october_2020_reaches_activation_on_its_first_day() -> None:
    told = flood(on=date(2020, 10, 20))
    (episode,) = told.episodes
    assert (episode.first_on, episode.last_on) == (date(2020, 10, 12), date(2020, 10, 20))
    assert episode.decided_on == date(2020, 10, 12)
    assert len(episode.areas) == 19
    first = told.steps[0]
    assert first.areas == ("01", "02", "15", "19", "20", "24")
    assert first.judgement.evidence["national_households"] == 24_156


def test_on_each_day_the_history_is_what_it_was_on_that_day() -> None:
    whole = flood(on=date(2020, 10, 31))
    for day in sorted({step.decided_on for step in whole.steps}):
        by_then = flood(on=day)
        assert by_then.steps == tuple(step for step in whole.steps if step.decided_on <= day)


def test_the_rice_prices_reach_it_in_february_and_september_2023() -> None:
    told = rice(on=date(2024, 12, 1))
    assert [(episode.decided_on, episode.first_on) for episode in told.episodes] == [
        (date(2023, 2, 10), date(2023, 1, 1)),
        (date(2023, 9, 10), date(2023, 8, 1)),
    ]
    first, second = told.episodes
    assert first.ended is not None
    assert first.ended.decided_on <= second.decided_on
    assert second.ended is not None
    assert second.ended.decided_on == date(2024, 9, 10)
    assert second.severity is Severity.EXTREME
    stages = {step.judgement.period.first_on: step.stage for step in told.steps}
    assert stages[date(2023, 7, 1)] is TriggerStage.READINESS


def test_a_month_is_judged_when_the_day_of_its_last_figures_is_over() -> None:
    published = date(2023, 2, 10)
    assert all(step.decided_on < published for step in rice(on=published).steps)
    assert rice(on=published + timedelta(days=1)).steps[-1].decided_on == published


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(random: Any) -> None:
    shuffled = [*RICE_FIGURES]
    random.shuffle(shuffled)
    on = date(2023, 11, 1)
    assert rice(shuffled, on=on) == rice(on=on)


def test_going_live_in_the_middle_of_an_event_tells_what_was_told_before() -> None:
    before = rice(on=date(2023, 10, 11))
    # The same history, loaded whole: what a new system is given.
    live = rice(
        [each for each in RICE_FIGURES if each.published_on <= date(2023, 10, 10)],
        on=date(2023, 10, 11),
    )
    assert live == before
    assert live.episodes[-1].first_on == date(2023, 8, 1)


def test_what_was_sent_long_ago_changes_nothing_when_it_is_sent_again() -> None:
    on = date(2023, 11, 1)
    again = [each._replace(value=each.value) for each in RICE_FIGURES[:200]]
    assert rice([*RICE_FIGURES, *again], on=on).episodes == rice(on=on).episodes


def test_a_month_that_does_not_come_cannot_be_judged_and_is_no_calm() -> None:
    missing = date(2023, 10, 1)
    gap = [each for each in RICE_FIGURES if each.observed_on != missing]
    told = rice(gap, on=date(2024, 2, 1))
    (silent,) = [step for step in told.steps if step.judgement.period.first_on == missing]
    assert silent.judgement.unjudged is not None
    assert silent.decided_on == date(2023, 11, 10)
    assert told.episodes[-1].ended is None


def test_a_month_waits_for_as_many_markets_as_its_calendar_says() -> None:
    month = date(2023, 1, 1)
    markets = [each for each in RICE_FIGURES if each.observed_on == month]
    late = [
        each._replace(published_on=date(2023, 2, 3)) if each in markets[:4] else each
        for each in RICE_FIGURES
    ]

    def decided(calendar: Calendar) -> date:
        told = rice(late, on=date(2023, 3, 1), calendar=calendar)
        return next(
            step.decided_on for step in told.steps if step.judgement.period.first_on == month
        )

    assert decided(MONTHLY.model_copy(update={"complete_with_places": 4})) == date(2023, 2, 3)
    assert decided(MONTHLY.model_copy(update={"complete_with_places": 5})) == date(2023, 2, 10)
    assert decided(MONTHLY) == date(2023, 2, 10)


def test_a_revision_that_would_have_prevented_an_episode_is_told() -> None:
    month, revised_on = date(2023, 1, 1), date(2023, 2, 20)
    lower = [
        each._replace(published_on=revised_on, value=(each.value or 0) * 0.8)
        for each in RICE_FIGURES
        if each.observed_on == month
    ]
    until = [each for each in RICE_FIGURES if each.published_on <= date(2023, 2, 10)]
    (standing,) = rice(until, on=date(2023, 2, 21)).episodes
    assert standing.withdrawn is None
    (withdrawn,) = rice([*until, *lower], on=date(2023, 2, 21)).episodes
    assert withdrawn.decided_on == date(2023, 2, 10)
    assert withdrawn.withdrawn is not None
    assert withdrawn.withdrawn.decided_on == revised_on


def test_a_later_word_of_the_publisher_counts_and_of_one_day_the_higher_issue() -> None:
    day = date(2020, 10, 12)
    first = Figure("02", None, "HRF", day, day, 100)
    for second, counts in (
        (first._replace(value=300, published_on=day + timedelta(days=1)), 300),
        (first._replace(value=300, issue=2), 300),
        (first._replace(value=300), 100),
        (first._replace(value=50), 50),
        (first._replace(value=None), 100),
    ):
        for rows in ([first, second], [second, first]):
            known = Figures.of(rows).known_on(day + timedelta(days=1))
            assert known.value.tolist() == [counts]


@pytest.mark.parametrize(
    ("on", "due"),
    [
        (date(2023, 2, 1), date(2023, 2, 11)),
        (date(2023, 2, 11), date(2023, 3, 1)),
        (date(2023, 2, 28), date(2023, 3, 1)),
    ],
)
def test_time_alone_makes_a_month_due_when_it_ends_and_when_its_waiting_does(
    on: date, due: date
) -> None:
    assert next_due(MONTHLY, forecast=False, on=on) == due
