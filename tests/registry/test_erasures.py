"""Who is kept no longer than the rule says: all of them are erased by one decision of two."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.registry.erasures import working as erasing
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.test_acts import act, family
from tests.server import eventually

WHY = {"reason": "Retention of 2026, as the rule says."}


async def archived(flow: Flow, count: int, *, begin: int = 0) -> list[str]:
    """Households that were archived three years ago."""
    given = rows(count, begin=begin)
    await flow.register(given)
    ids = sorted([await flow.household_id(row.registration_number) for row in given])
    await flow.owner.execute(
        "UPDATE registry.household SET archived_at = now() - interval '3 years', "
        "archived_because = 'moved-away' WHERE id = ANY($1)",
        [UUID(id) for id in ids],
    )
    return ids


async def due(flow: Flow) -> list[str]:
    items: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await flow.get("/households/erasures-due", limit=3, **cursor)
        items += [household["id"] for household in page["items"]]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


async def proposed(flow: Flow) -> Any:
    answer = await flow.client.post("/households/erasures", json=WHY, headers=flow.key())
    assert answer.status_code == 202, answer.text
    return answer.json()


async def finished(flow: Flow, id: str) -> Any:
    found: dict[str, Any] = {}

    async def ended() -> bool:
        found.update(await flow.get(f"/households/erasures/{id}"))
        return found["finished_at"] is not None

    await eventually(ended)
    return found


async def test_who_is_due_is_erased_in_sets_by_one_decision_of_two(
    working: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "HOUSEHOLDS_PER_STEP", 3)
    none = await working.client.post("/households/erasures", json=WHY, headers=working.key())
    assert (none.status_code, "No household is due" in none.text) == (409, True)
    ids = await archived(working, 8)
    living = await family(working, 20)
    assert await due(working) == ids

    proposal = await proposed(working)
    path = f"/households/erasures/{proposal['id']}"
    waits = await working.get(path)
    assert (waits["status"], waits["households"], waits["erased"]) == ("waiting", 8, 0)
    assert (proposal["households"], proposal["kind"]) == (8, "erasures")
    # Who comes to be due meanwhile was not seen by the second person; who is not any more stays.
    later = await archived(working, 1, begin=30)
    assert (await act(working, f"/households/{ids[4]}/restoration", {})).status_code == 200
    me = await working.client.post(f"/approvals/{proposal['id']}/approval", json=WHY)
    assert me.status_code == 409
    outcome = await working.approve(proposal)
    assert outcome["id"] == proposal["id"]
    done = await finished(working, proposal["id"])
    assert (done["status"], done["erased"], done["passed_over"]) == ("approved", 7, 1)

    for id in ids:
        person = (await working.get(f"/households/{id}"))["person"]
        assert (set(person.values()) == {None}) is (id != ids[4])
        if id != ids[4]:
            (last, *_) = (await working.get(f"/households/{id}/history"))["items"]
            assert (last["kind"], last["approval_id"]) == ("erased", proposal["id"])
            assert (last["by"], last["reason"]) == (proposal["proposed_by"], WHY["reason"])
    assert (await working.get(f"/households/{living}"))["person"]["name"]
    assert await due(working) == later
    gone = await working.owner.fetch(
        "SELECT household_id FROM registry.household_key WHERE material IS NULL"
    )
    assert {str(row[0]) for row in gone} == set(ids) - {ids[4]}
    told = [
        event["household_id"]
        for event in await working.events("household-changed")
        if event["changes"] == ["erasure"]
    ]
    assert sorted(told) == [id for id in ids if id != ids[4]]


async def test_nobody_is_due_of_whom_something_is_under_way_or_must_be_explained(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    await flow.post_scheme()
    (row,) = rows(1, begin=20)
    await flow.register([row])
    owed = await flow.household_id(row.registration_number)
    async with run_worker("registry"):
        await flow.worked(await flow.open(BATTAMBANG))
    ids = await archived(flow, 5)
    first, second, third, *_ = ids
    await flow.owner.execute(
        "UPDATE registry.household SET archived_at = now() - interval '3 years', "
        "archived_because = 'moved-away' WHERE id = $1",
        UUID(owed),
    )
    # Of an activation that can still pay; then it was paid lately, or long ago.
    assert await due(flow) == ids
    await flow.owner.execute("UPDATE registry.activation SET cancelled_on = current_date")
    assert await due(flow) == ids
    for ago, is_due in (("9 years", False), ("11 years", True)):
        await flow.owner.execute(
            "UPDATE registry.entitlement SET status = 'paid', "
            f"finished_at = now() - interval '{ago}'"
        )
        assert (owed in await due(flow)) is is_due
    everybody = sorted([*ids, owed])
    # Something waits for a second person: the single erasure of one of them.
    waits = await act(flow, f"/households/{first}/erasure", {})
    assert waits.status_code == 202
    assert await due(flow) == [id for id in everybody if id != first]
    withdrawn = await flow.client.delete(f"/approvals/{waits.json()['id']}")
    assert withdrawn.status_code == 200, withdrawn.text
    assert await due(flow) == everybody
    # They may be registered twice, and nobody has said so yet.
    await flow.owner.execute(
        "INSERT INTO registry.duplicate_suspect (id, first_household_id, second_household_id, "
        "found_at, exact_score, likeness_score, is_whole, exact_grounds, likeness_grounds) "
        "VALUES (uuidv7(), $1, $2, now(), 990, 0, true, '{id-number}', '{}')",
        UUID(second),
        UUID(third),
    )
    assert await due(flow) == [id for id in everybody if id not in (second, third)]
    await flow.owner.execute("UPDATE registry.duplicate_suspect SET withdrawn_at = now()")
    assert await due(flow) == everybody


async def test_what_another_household_is_owed_keeps_nobody(
    flow: Flow, run_worker: Callable[[str], Any]
) -> None:
    """One payment that stays failed leaves an activation able to pay, but that household alone."""
    await flow.post_scheme()
    given = rows(2, begin=40)
    await flow.register(given)
    paid, unpaid = [await flow.household_id(row.registration_number) for row in given]
    async with run_worker("registry"):
        await flow.worked(await flow.open(BATTAMBANG))
    await flow.owner.execute(
        "UPDATE registry.household SET archived_at = now() - interval '3 years', "
        "archived_because = 'moved-away'"
    )
    await flow.owner.execute(
        "UPDATE registry.entitlement SET finished_at = now() - interval '11 years', "
        "status = CASE WHEN household_id = $1 THEN 'failed' ELSE 'paid' END"
        "::registry.entitlement_status",
        UUID(unpaid),
    )
    # A round is to come, which would pay both.
    release = "UPDATE registry.payment_round SET released_at = {}, released_by = {}"
    await flow.owner.execute(release.format("NULL", "NULL"))
    assert await due(flow) == []
    erasing_paid = await act(flow, f"/households/{paid}/erasure", {})
    assert erasing_paid.status_code == 409, erasing_paid.text
    await flow.owner.execute(release.format("now()", "'the activation'"))
    assert await due(flow) == [paid]
    erasing_unpaid = await act(flow, f"/households/{unpaid}/erasure", {})
    assert (erasing_unpaid.status_code, "can still be paid" in erasing_unpaid.text) == (409, True)
    assert (await act(flow, f"/households/{paid}/erasure", {})).status_code == 202
