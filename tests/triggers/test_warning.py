"""Alerts by severity, urgency and certainty: which count, on which days, and in which areas."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.triggers.definitions.document import TriggerDocument
from services.triggers.definitions.shipped import shipped_document
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.episodes import History
from services.triggers.evaluations.history import tell, tell_on
from services.triggers.methods.calendar import Calendar
from services.triggers.methods.figures import Figure, Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.method import Order
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.methods.warning.document import AlertWarning
from services.triggers.methods.warning.indicator import ALERT, AlertDetails
from services.triggers.methods.warning.method import WARNING
from services.triggers.observations.schemas import ObservationIn
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow
from tests.triggers.judging import days_after, judged, judged_on

START = datetime(2022, 9, 28, 2, tzinfo=UTC)
DAY = START.date()
EXAMPLE: dict[str, Any] = AlertWarning.model_json_schema()["examples"][0]
DOCUMENT = AlertWarning.model_validate(EXAMPLE)
NONE, READINESS, ACTIVATION = TriggerStage.NONE, TriggerStage.READINESS, TriggerStage.ACTIVATION


def alert(
    identifier: str = "KH-1",
    *,
    area: str = "02",
    day: int = 0,
    rank: int = 3,
    lasts_days: int | None = 2,
    **details: Any,
) -> Figure:
    """An alert of severe flooding, sent so many days after the first, in force for so many."""
    sent = START + timedelta(days=day)
    said = {
        "identifier": identifier,
        "sender": "weather@mowram.gov.kh",
        "event": "Flood",
        "urgency": "Expected",
        "certainty": "Likely",
        "status": "Actual",
        "msg_type": "Alert",
        "expires": None if lasts_days is None else (sent + timedelta(days=lasts_days)).isoformat(),
        **details,
    }
    return Figure(
        area=area,
        place=None,
        source="mowram",
        observed_on=sent.date(),
        published_on=sent.date(),
        value=rank,
        details=said,
    )


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, ACTIVATION),
        ({"rank": 4}, ACTIVATION),
        ({"rank": 2}, READINESS),
        ({"rank": 1}, NONE),
        ({"rank": 0}, NONE),
        ({"urgency": "Immediate"}, ACTIVATION),
        ({"urgency": "Future"}, READINESS),
        ({"urgency": "Past"}, NONE),
        ({"certainty": "Observed"}, ACTIVATION),
        ({"certainty": "Very Likely"}, ACTIVATION),
        ({"certainty": "Possible"}, READINESS),
        ({"certainty": "Unlikely"}, NONE),
        ({"certainty": "Unknown"}, NONE),
        ({"event": "FLOOD"}, ACTIVATION),
        ({"event": "Thunderstorm"}, NONE),
        ({"status": "Exercise"}, NONE),
        ({"status": "Test"}, NONE),
        ({"msg_type": "Update"}, ACTIVATION),
        ({"msg_type": "Ack"}, NONE),
        ({"msg_type": "Cancel"}, NONE),
    ],
)
def test_an_alert_must_be_meant_and_meet_all_three(
    changes: dict[str, Any], stage: TriggerStage
) -> None:
    judgement = judged_on(WARNING, DOCUMENT, [alert(**changes)], DAY)
    assert judgement.stage is stage
    assert judgement.areas == (() if stage is NONE else ("02",))


def test_severity_is_the_alert_s() -> None:
    figures = [alert(), alert("KH-2", area="15", rank=4)]
    judgement = judged_on(WARNING, DOCUMENT, figures, DAY)
    assert (judgement.severity, judgement.areas) == (Severity.EXTREME, ("02", "15"))
    assert judged_on(WARNING, DOCUMENT, figures[:1], DAY).severity is Severity.SEVERE
    assert [told["identifier"] for told in judgement.evidence["alerts"]] == ["KH-1", "KH-2"]


def test_an_alert_counts_until_it_expires_in_the_country_s_time() -> None:
    # Two days after 02:00 UTC is 09:00 in Phnom Penh: that day still counts, and the next not.
    stages = [
        judged_on(WARNING, DOCUMENT, [alert()], days_after(DAY, day)).stage for day in range(4)
    ]
    assert stages == [ACTIVATION, ACTIVATION, ACTIVATION, NONE]
    without_end = [
        judged_on(WARNING, DOCUMENT, [alert(lasts_days=None)], days_after(DAY, day)).stage
        for day in range(3)
    ]
    assert without_end == [ACTIVATION, ACTIVATION, NONE]


def test_an_update_stands_in_place_of_what_it_refers_to_wherever_that_was() -> None:
    update = alert("KH-2", area="15", day=1, msg_type="Update", references=["KH-1"])
    figures = [alert(), alert(area="01"), update]
    assert judged_on(WARNING, DOCUMENT, figures, DAY).areas == ("01", "02")
    assert judged_on(WARNING, DOCUMENT, figures, days_after(DAY, 1)).areas == ("15",)
    in_battambang = judged_on(WARNING, DOCUMENT, figures, days_after(DAY, 1), areas=["02"])
    assert in_battambang.stage is NONE
    # That day is judged, although what was said on it is of another province.
    days = [
        judgement.period.last_on for judgement in judged(WARNING, DOCUMENT, figures, areas=["02"])
    ]
    assert days == [DAY, days_after(DAY, 1)]


def test_a_cancellation_takes_an_alert_away_and_only_its_sender_can() -> None:
    cancel = alert("KH-2", day=1, msg_type="Cancel", references=["KH-1"])
    tomorrow = days_after(DAY, 1)
    assert judged_on(WARNING, DOCUMENT, [alert(), cancel], DAY).stage is ACTIVATION
    assert judged_on(WARNING, DOCUMENT, [alert(), cancel], tomorrow).stage is NONE
    of_another = alert("X-2", day=1, msg_type="Cancel", references=["KH-1"], sender="x@example")
    assert judged_on(WARNING, DOCUMENT, [alert(), of_another], tomorrow).stage is ACTIVATION
    exercise = alert("KH-3", day=1, msg_type="Cancel", references=["KH-1"], status="Exercise")
    assert judged_on(WARNING, DOCUMENT, [alert(), exercise], tomorrow).stage is ACTIVATION


def test_an_alert_of_the_country_activates_the_trigger_s_areas_in_it() -> None:
    judgement = judged_on(WARNING, DOCUMENT, [alert(area="KH")], DAY, areas=["0203", "15"])
    assert judgement.areas == ("0203", "15")


def test_alerts_within_the_quiet_days_are_of_one_event() -> None:
    series = WARNING.lay_out(Figures.of([alert()]), DOCUMENT, areas=["KH"])
    fired = Period(first_on=DAY, last_on=DAY)
    orders = [
        WARNING.continues(
            series,
            DOCUMENT,
            period=Period(first_on=days_after(DAY, days), last_on=days_after(DAY, days)),
            earlier=fired,
        ).order
        for days in (-31, -30, 30, 31)
    ]
    assert orders == [Order.EARLIER, Order.SAME, Order.SAME, Order.LATER]


WATCHED = TriggerDocument.model_validate(
    {**shipped_document("flood-reported-impact"), "legs": [{"indicator": "a", "method": EXAMPLE}]}
)


def told(figures: Sequence[Figure], *, on: int) -> History:
    known = Known(calendar=Calendar(), figures=Figures.of(figures))
    return tell(WATCHED, {"a": known}, on=days_after(DAY, on))


def test_the_day_after_an_alert_s_last_is_judged_though_nobody_said_anything() -> None:
    ready = alert(rank=2)
    (standing,) = told([ready], on=2).readiness
    assert (standing.decided_on, standing.ended_on) == (DAY, None)
    history = told([ready], on=60)
    # It is judged on the day on which it ended as on the day on which it was sent; on no other.
    assert [(step.decided_on, step.stage) for step in history.steps] == [
        (DAY, READINESS),
        (days_after(DAY, 3), NONE),
    ]
    (stood_down,) = history.readiness
    assert stood_down.ended_on == days_after(DAY, 3)
    last = history.steps[-1].judgement
    assert last.unjudged is None
    assert "no alert is in force (1 ended the day before, as was known)" in last.finding
    (ended,) = last.evidence["ended"]
    assert (ended["identifier"], ended["said_when"]) == ("KH-1", True)


def test_an_alert_without_an_end_ends_by_the_document_s_days_and_is_said_to() -> None:
    history = told([alert(rank=2, lasts_days=None)], on=60)
    assert history.readiness[0].ended_on == days_after(DAY, 2)
    assert history.steps[-1].judgement.evidence["ended"][0]["said_when"] is False


def test_what_was_taken_away_does_not_end_a_second_time() -> None:
    cancel = alert("KH-2", day=1, msg_type="Cancel", references=["KH-1"])
    history = told([alert(), cancel], on=60)
    assert [step.decided_on for step in history.steps] == [DAY, days_after(DAY, 1)]
    longer = alert("KH-3", day=1, lasts_days=5, msg_type="Update", references=["KH-1"])
    assert [step.decided_on for step in told([alert(), longer], on=60).steps] == [
        DAY,
        days_after(DAY, 1),
        days_after(DAY, 7),
    ]


def test_an_episode_is_over_when_its_alert_is_and_begins_no_other() -> None:
    (episode,) = told([alert(), alert("KH-2", area="15", rank=2, lasts_days=40)], on=60).episodes
    assert episode.last_on == DAY
    assert episode.withdrawn is None
    assert episode.ended is not None
    assert episode.ended.decided_on == days_after(DAY, 41)


@given(
    st.lists(
        st.builds(
            lambda day, rank, lasts, late, area: (day, rank, lasts, late, area),
            st.integers(0, 12),
            st.integers(1, 4),
            st.none() | st.integers(0, 6),
            st.integers(0, 4),
            st.sampled_from(["02", "15"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 25),
)
@settings(max_examples=60, deadline=None)
def test_on_each_day_the_history_of_alerts_is_what_it_was_on_that_day(
    given_alerts: list[tuple[int, int, int | None, int, str]], on: int
) -> None:
    figures = []
    for number, (day, rank, lasts, late, area) in enumerate(given_alerts):
        figure = alert(f"KH-{number}", area=area, day=day, rank=rank, lasts_days=lasts)
        published = figure.published_on + timedelta(days=late)
        figures.append(figure._replace(published_on=published, issue=number + 1))
    whole, then = told(figures, on=30), days_after(DAY, on)
    by_then = told([each for each in figures if each.published_on <= then], on=on)
    assert by_then.steps == tuple(step for step in whole.steps if step.decided_on <= then)
    # Nothing stays for ever that its sender gave an end.
    assert all(span.ended_on is not None for span in whole.readiness)
    known = Known(
        calendar=Calendar(),
        figures=Figures.of([each for each in figures if each.published_on <= then]),
    )
    (due,) = tell_on(WATCHED, {"a": known}, on=then).lapses_on
    lapsed = [
        step.decided_on
        for step in told([each for each in figures if each.published_on <= then], on=60).steps
        if step.decided_on > then
    ]
    assert due == min(lapsed, default=None)


async def test_a_trigger_stands_down_at_midnight_after_its_alert_s_last_day(working: Flow) -> None:
    indicator = {**FLOOD_INDICATOR, "code": "alerts", "unit": "rank", "kind": "alert"}
    working.go_to(DAY)
    trigger = {"legs": [{"indicator": "alerts", "method": EXAMPLE}], "code": "warned"}
    await working.set_up(indicator, "flood-reported-impact", **trigger)
    figure = alert(rank=2)
    row = {
        "area": "02",
        "source": "mowram",
        "observed_on": str(DAY),
        "published_on": str(DAY),
        "value": 2,
        "details": figure.details,
    }
    await working.record(indicator, [row])
    await working.caught_up()
    working.go_to(days_after(DAY, 2))
    await working.caught_up()
    assert not await working.events("trigger-stood-down")
    working.go_to(days_after(DAY, 3))
    await working.caught_up()
    (event,) = await working.events("trigger-stood-down")
    assert event["stood_down_on"] == str(days_after(DAY, 3))
    last = (await working.evaluations("warned"))[-1]
    assert (last["stage"], last["outcome"], last["unjudged"]) == ("none", "none", None)


def test_readiness_is_never_harder_to_reach_than_activation() -> None:
    for changes in ({"severity": "Extreme"}, {"urgency": "Immediate"}, {"certainty": "Observed"}):
        with pytest.raises(ValidationError, match="must reach readiness"):
            AlertWarning.model_validate(
                {**EXAMPLE, "readiness": {**EXAMPLE["readiness"], **changes}}
            )


def test_a_row_has_the_rank_of_a_severity_and_details_in_the_words_of_cap() -> None:
    for value, faults in ((None, 1), (0, 0), (4, 0), (5, 1), (Decimal("1.5"), 1), (-1, 1)):
        row = ObservationIn.model_validate(
            {
                "area": "02",
                "source": "mowram",
                "observed_on": "2022-09-28",
                "published_on": "2022-09-28",
                "value": value,
            }
        )
        assert len(ALERT.faults_of(row)) == faults
    assert ALERT.details is AlertDetails
    with pytest.raises(ValidationError):
        AlertDetails.model_validate({**(alert().details or {}), "urgency": "Soon"})
