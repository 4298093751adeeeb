"""A history that is told on from a standing is the one that is told from its beginning."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known, is_due_by_time, last_day_of_publication
from services.triggers.evaluations.episodes import Step
from services.triggers.evaluations.history import KEPT_DAYS, tell_on
from services.triggers.evaluations.standing import STANDING, Standing
from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.figures import Figure, Figures

BEGUN = date(2020, 9, 1)
DAYS = 60
REPORTS, STAGES, RAIN = "reports", "stages", "rain"
CALENDARS = {
    REPORTS: Calendar(),
    STAGES: Calendar(frequency=Frequency.DAY, waits_days=1),
    RAIN: Calendar(frequency=Frequency.DEKAD, waits_days=4, complete_with_places=2),
}
FLOOD = shipped_document("flood-reported-impact")
DOCUMENT = TriggerDocument.model_validate(
    FLOOD
    | {
        "judge_within_days": 20,
        "legs": [
            {
                "indicator": REPORTS,
                "method": FLOOD["legs"][0]["method"] | {"rearm": {"days_without_reports": 5}},
            },
            {
                "indicator": STAGES,
                "method": {
                    "kind": "stage-threshold",
                    "levels": {
                        "Kratie": {"readiness": 5, "activation": 6},
                        "Stung Treng": {"activation": 6},
                    },
                    "reaches": {"Kratie": ["1002"], "Stung Treng": ["19"]},
                    "rearm": {"quiet_days": 3, "after_days": 20},
                },
            },
            {
                "indicator": RAIN,
                "method": {
                    "kind": "rainfall-total",
                    "days": 10,
                    "levels": {"readiness": 100, "activation": 150},
                    "rearm": {"quiet_days": 10, "after_days": 30, "below_millimetres": 50},
                },
            },
        ],
        "season": {"first": "01-01", "last": "12-31", "at_most": 3},
    }
)


class Arrival(NamedTuple):
    """A figure, and the day on which it is recorded."""

    indicator: str
    figure: Figure
    on: date


def day(number: int) -> date:
    return BEGUN + timedelta(days=number)


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    indicator = draw(st.sampled_from([REPORTS, STAGES, RAIN]))
    observed = draw(st.integers(0, DAYS - 10))
    published = observed + draw(st.sampled_from([0, 0, 0, 1, 2, 6]))
    recorded = published + draw(st.sampled_from([0, 0, 0, 0, 1, 3, 12]))
    if indicator == REPORTS:
        area, place = draw(st.sampled_from(["01", "02"])), None
        value: float | None = draw(st.sampled_from([0, 900, 11_000, 25_000, None]))
    else:
        area = "10"
        place = draw(st.sampled_from(["Kratie", "Stung Treng"]))
        value = draw(
            st.sampled_from([4.0, 5.5, 6.5] if indicator == STAGES else [10.0, 60.0, 200.0])
        )
    return Arrival(
        indicator,
        Figure(area, place, "source", day(observed), day(published), value),
        day(recorded),
    )


def known_on(day: date, arrived: Sequence[Arrival]) -> dict[str, Known]:
    return {
        indicator: Known(
            calendar=calendar,
            figures=Figures.of(
                each.figure for each in arrived if each.indicator == indicator and each.on <= day
            ),
        )
        for indicator, calendar in CALENDARS.items()
    }


def still_stands(standing: Standing, new: Sequence[Arrival]) -> bool:
    begun_on = dict(zip((leg.indicator for leg in DOCUMENT.legs), standing.begun_on, strict=True))
    return all(
        each.figure.published_on > standing.told_to
        and each.figure.observed_on >= (begun_on[each.indicator] or date.min)
        for each in new
    )


def needed(known: Mapping[str, Known], *, since: Standing, on: date) -> dict[str, Known]:
    """Without the indicators of which nothing can be due."""
    lapsed = {DOCUMENT.legs[leg].indicator for leg in since.lapsed(on)}
    return {
        indicator: each
        for indicator, each in known.items()
        if indicator in lapsed
        or is_due_by_time(each.calendar, forecast=False, after=since.told_to, on=on)
        or any(
            since.told_to < figure.published_on <= last_day_of_publication(each.calendar, on=on)
            for figure in each.figures.rows
        )
    }


@settings(max_examples=25, deadline=None)
@given(
    st.lists(arrivals(), min_size=15, max_size=40),
    st.lists(st.integers(10, DAYS), min_size=3, max_size=20, unique=True).map(sorted),
)
def test_telling_on_comes_to_what_telling_all_comes_to(
    arrived: list[Arrival], evaluated_on: list[int]
) -> None:
    kept: list[tuple[date, Standing]] = []
    """Each with the day by whose knowledge it was told."""
    steps: list[Step] = []
    for on in map(day, evaluated_on):
        known = known_on(on, arrived)
        whole = tell_on(DOCUMENT, known, on=on)
        since = max(
            (
                standing
                for known_by, standing in kept
                if still_stands(standing, [each for each in arrived if known_by < each.on <= on])
            ),
            key=lambda standing: standing.told_to,
            default=None,
        )
        if since is None:
            kept += [(on, standing) for standing in whole.standings]
            steps += whole.history.steps
            continue
        told = tell_on(DOCUMENT, needed(known, since=since, on=on), on=on, since=since)
        assert told.history.episodes == whole.history.episodes
        assert told.history.readiness == whole.history.readiness
        steps += told.history.steps
        assert all(step.decided_on > since.told_to for step in told.history.steps)
        assert all(step in steps for step in whole.history.steps)
        for standing in told.standings:
            assert standing in whole.standings
            kept.append((on, standing))


@given(st.lists(arrivals(), max_size=40))
def test_a_standing_is_read_as_it_was_written(arrived: list[Arrival]) -> None:
    told = tell_on(DOCUMENT, known_on(day(DAYS), arrived), on=day(DAYS))
    assert [standing.told_to for standing in told.standings] == [
        day(DAYS - KEPT_DAYS),
        day(DAYS - 1),
    ]
    for standing in told.standings:
        assert STANDING.validate_json(STANDING.dump_json(standing)) == standing
