"""A trigger that is put in force amid events decides as one that was there before."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.triggers.definitions.shipped import shipped_document
from tests.triggers.data import FLOOD_INDICATOR
from tests.triggers.flow import Flow

CODE = "flood-reported-impact"
FIRST = date(2022, 9, 1)
SECOND = FIRST + timedelta(days=40)
TODAY = SECOND + timedelta(days=3)
REPORTS = [
    (FIRST, "02", 26_000),
    (FIRST + timedelta(days=2), "15", 27_000),
    (SECOND, "01", 31_000),
    (SECOND + timedelta(days=2), "24", 30_000),
]
ENDED = [*REPORTS[:2], (SECOND, "01", 40)]


async def lived_through(
    flow: Flow, reports: list[tuple[date, str, int]], *, put_in_force_on: date, **changes: Any
) -> None:
    """Each report on its day, and the trigger put in force on one of the days."""
    trigger = {**shipped_document(CODE), **changes}
    flow.go_to(FIRST - timedelta(days=1))
    await flow.created("/indicators", FLOOD_INDICATOR)
    for day, area, value in [*reports, (TODAY, None, None)]:
        if put_in_force_on <= day:
            flow.go_to(put_in_force_on)
            await flow.created("/triggers", trigger)
            await flow.caught_up()
            put_in_force_on = date.max
        flow.go_to(day)
        if area is not None:
            row = {"source": "HRF", "observed_on": str(day), "published_on": str(day)}
            await flow.record(FLOOD_INDICATOR, [{**row, "area": area, "value": value}])
            await flow.caught_up()


async def decided(flow: Flow) -> list[tuple[Any, ...]]:
    """What was decided about each event, whenever that was."""
    return [
        (
            activation["id"],
            activation["state"],
            activation["evidence_from"],
            activation["evidence_to"],
            activation["severity"],
            sorted(area["area"] for area in activation["areas"] if area["announced_at"]),
            [move["to_state"] for move in activation["moves"]],
        )
        for activation in await flow.activations()
    ]


def as_decided(day: date, last_on: date, areas: list[str], *states: str) -> tuple[Any, ...]:
    return (states[-1], str(day), str(last_on), "severe", areas, list(states))


@pytest.mark.parametrize(
    "put_in_force_on",
    [FIRST - timedelta(days=1), FIRST + timedelta(days=1), SECOND + timedelta(days=1), TODAY],
    ids=["before", "amid-the-first", "amid-the-second", "after"],
)
async def test_of_two_recent_events_each_is_opened_whenever_the_trigger_came_into_force(
    working: Flow, put_in_force_on: date
) -> None:
    await lived_through(working, REPORTS, put_in_force_on=put_in_force_on)
    first, second = await decided(working)
    assert first[1:] == as_decided(FIRST, REPORTS[1][0], ["02", "15"], "proposed", "open", "closed")
    assert second[1:] == as_decided(SECOND, REPORTS[3][0], ["01", "24"], "proposed", "open")
    told = await working.events("activation-opened")
    assert [event["activation_id"] for event in told] == [first[0], second[0]]
    # Every judgement is kept, and names what came of it.
    kept = [
        (each["judged_on"], each["decided_on"], each["stage"])
        for each in await working.evaluations(CODE)
    ]
    silent_on = REPORTS[1][0] + timedelta(days=30)
    days = [day for day, _, _ in REPORTS]
    reported = [(str(day), str(day), "activation") for day in days]
    silence = (str(silent_on), str(silent_on + timedelta(days=1)), "none")
    assert sorted(kept) == sorted([*reported, silence])


@pytest.mark.parametrize("put_in_force_on", [FIRST - timedelta(days=1), TODAY])
async def test_an_event_that_is_over_is_opened_before_it_is_closed(
    working: Flow, put_in_force_on: date
) -> None:
    await lived_through(working, ENDED, put_in_force_on=put_in_force_on)
    (only,) = await decided(working)
    assert only[1:] == as_decided(FIRST, ENDED[1][0], ["02", "15"], "proposed", "open", "closed")
    assert len(await working.events("activation-opened")) == 1


async def test_where_a_person_is_asked_the_running_event_waits_for_nobody(working: Flow) -> None:
    activation = {**shipped_document(CODE)["stages"]["activation"], "approval": "second-person"}
    await lived_through(working, REPORTS, put_in_force_on=TODAY, stages={"activation": activation})
    first, second = await working.activations()
    assert (first["state"], second["state"]) == ("closed", "proposed")
    # The first was asked about, and whoever looks sees what is left to do.
    assert first["approval_id"] is not None
    assert "to pay for it as well, declare one" in first["moves"][-1]["reason"]
    (proposal,) = await working.proposals("activation")
    assert proposal["id"] == second["approval_id"]
