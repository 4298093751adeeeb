"""Later rounds: scheduled, shown, and owed only once an officer releases them."""

from datetime import UTC, datetime
from uuid import UUID

import httpx

from tests.registry.flow import BATTAMBANG, PURSAT, Flow, proposes, rows
from tests.registry.test_enrolment import assert_chunks_agree

AFTER_31_DAYS = datetime(2026, 2, 5, 5, tzinfo=UTC)
AFTER_62_DAYS = datetime(2026, 3, 9, 5, tzinfo=UTC)


async def release(flow: Flow, activation_id: UUID, number: int) -> httpx.Response:
    """Propose it; where it can be, the second person approves."""
    answer = await flow.client.post(
        f"/activations/{activation_id}/rounds/{number}/release", headers=flow.key()
    )
    if proposes(answer):
        assert (await flow.decided(answer)).status_code == 200
    return answer


async def test_rounds_are_scheduled_and_shown_with_their_due_dates(working: Flow) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    rounds = await working.get(f"/activations/{activation_id}/rounds")
    assert [(shown["number"], shown["due_on"], shown["status"]) for shown in rounds] == [
        (1, "2026-01-05", "released"),
        (2, "2026-02-05", "scheduled"),
        (3, "2026-03-08", "scheduled"),
    ]
    assert rounds[0]["payable_count"] == 2
    working.set_clock(AFTER_31_DAYS)
    rounds = await working.get(f"/activations/{activation_id}/rounds")
    assert [shown["status"] for shown in rounds] == ["released", "due", "scheduled"]


async def test_a_round_is_refused_before_it_is_due_and_before_its_turn(working: Flow) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    early = await release(working, activation_id, 2)
    assert early.status_code == 409
    assert "due on 2026-02-05" in early.json()["detail"]
    working.set_clock(AFTER_62_DAYS)
    out_of_turn = await release(working, activation_id, 3)
    assert out_of_turn.status_code == 409
    assert "Round 2 comes first" in out_of_turn.json()["detail"]
    assert (await release(working, activation_id, 9)).status_code == 404
    assert (await release(working, activation_id, 1)).status_code == 422


async def test_a_released_round_owes_every_enrolled_household_once_more(working: Flow) -> None:
    await working.register([*rows(4), *rows(1, begin=9, provider_code="", account="")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    first = await assert_chunks_agree(working, activation_id)
    # A new baby since the enrolment changes nothing; an account since then does.
    await working.register(rows(1, members=9, children_0_5=2))
    await working.register(rows(1, begin=9))
    working.set_clock(AFTER_31_DAYS)
    released = await release(working, activation_id, 2)
    assert released.status_code == 202
    _, second, _ = await working.get(f"/activations/{activation_id}/rounds")
    assert second["released_by"] == "officer@test"
    activation = await working.worked(activation_id, runs=2)
    assert activation["runs"][1]["kind"] == "round"
    both = await assert_chunks_agree(working, activation_id)
    amounts = {row[1]: row[3] for row in first}
    second = [row for row in both if row not in first]
    assert len(second) == 5
    assert {row[1]: row[3] for row in second}.items() >= amounts.items()
    completed = await working.events("enrolment-completed")
    assert [(event["round"], event["entitlements"]) for event in completed] == [(1, 4), (2, 5)]
    again = await release(working, activation_id, 2)
    assert again.status_code == 409
    assert "released already" in again.json()["detail"]


async def test_a_release_needs_its_own_scope_and_is_done_once_for_a_key(working: Flow) -> None:
    await working.register(rows(2))
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    working.set_clock(AFTER_31_DAYS)
    path = f"/activations/{activation_id}/rounds/2/release"
    async with working.service.client("enrolments:read") as client:
        assert (await client.post(path, headers=working.key())).status_code == 403
    key = working.key()
    answers = [await working.client.post(path, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    first, second = (answer.json() for answer in answers)
    assert first == second
    await working.approve(first)
    await working.worked(activation_id, runs=2)


async def test_whom_a_later_widening_enrols_gets_the_released_rounds_too(working: Flow) -> None:
    await working.register([*rows(2), *rows(3, commune="150101")])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    working.set_clock(AFTER_31_DAYS)
    await release(working, activation_id, 2)
    await working.worked(activation_id, runs=2)
    await working.widen(activation_id, PURSAT)
    await working.worked(activation_id, runs=4)
    rounds = await working.get(f"/activations/{activation_id}/rounds")
    assert [shown["payable_count"] for shown in rounds] == [5, 5, 0]
    assert len(await assert_chunks_agree(working, activation_id)) == 10
