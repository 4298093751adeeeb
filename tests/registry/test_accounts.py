"""Where households are paid: alone so many a day, and never of whom an activation may still pay."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.auth.roles import SCOPES, Role
from tests.registry.flow import BATTAMBANG, CSV, Flow, Row, body_of, proposes, rows
from tests.server import eventually
from tests.two_persons import CHECKER

ALONE = 3
NEXT_DAY = datetime(2026, 1, 6, 5, tzinfo=UTC)
OTHER = {"provider_code": "tonle", "account": "+85577777777"}


async def put(
    flow: Flow, household_id: str, *, by: str = "officer@test", account: str = "+85577777777"
) -> httpx.Response:
    async with flow.service.client(subject=by) as client:
        return await client.put(
            f"/households/{household_id}/payee-account", json=OTHER | {"account": account}
        )


async def send(flow: Flow, given: list[Row], *, by: str = "officer@test") -> dict[str, Any]:
    """An import that a person announces and sends, as it ended; nobody approves anything."""
    async with flow.service.client(subject=by) as client:
        made = await client.post("/imports", json={"source": "test"}, headers=flow.key())
        path = f"/imports/{made.json()['id']}/rows"
        answer = await client.put(path, content=body_of(given), headers=CSV)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def account_of(flow: Flow, household_id: str) -> str | None:
    account = (await flow.get(f"/households/{household_id}"))["payee_account"]
    return account and str(account["account"])


async def households(flow: Flow, given: list[Row]) -> list[str]:
    return [await flow.household_id(row.registration_number) for row in given]


async def test_an_enrolled_household_is_paid_elsewhere_by_two_persons_only(working: Flow) -> None:
    (row,) = rows(1)
    await working.register([row])
    (household_id,) = await households(working, [row])
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)

    asked = await put(working, household_id)
    assert asked.status_code == 202
    proposal = asked.json()
    assert (proposal["kind"], proposal["households"]) == ("account_change", 1)
    assert f"Pay household {household_id} to tonle …77 instead of mekong …" in proposal["what"]
    # Neither the old account nor the new one stands there, nor where events are read.
    assert "7777777" not in asked.text
    assert row.account not in asked.text
    assert await account_of(working, household_id) == row.account
    # Asked again it is the same proposal; asked for another account, another.
    assert (await put(working, household_id)).json()["id"] == proposal["id"]
    second = (await put(working, household_id, account="+85566666666")).json()
    assert second["id"] != proposal["id"]

    assert (await working.decided(asked, by="officer@test")).status_code == 409
    approved = await working.decided(asked)
    assert approved.json()["outcome"] == f"/v1/households/{household_id}"
    assert await account_of(working, household_id) == "+85577777777"
    kept = await working.owner.fetchrow(
        "SELECT changed_by, changed_alone, approval_id FROM registry.payee_account "
        "WHERE ended_at IS NULL"
    )
    assert (kept["changed_by"], kept["changed_alone"]) == ("officer@test", False)
    assert str(kept["approval_id"]) == proposal["id"]
    # What was asked for before this change is asked again, by what is known now.
    async with working.service.client(subject=CHECKER) as checker:
        late = await checker.post(f"/approvals/{second['id']}/approval", json={"reason": "Late."})
    assert late.status_code == 409
    assert await account_of(working, household_id) == "+85577777777"

    # Of an activation that can pay nothing any more, nobody is asked.
    await working.cancel(activation_id)

    async def cancelled() -> bool:
        return bool((await working.get(f"/activations/{activation_id}"))["cancelled_on"])

    await eventually(cancelled)
    assert (await put(working, household_id, account="+85555555555")).status_code == 200


async def test_one_person_changes_so_many_accounts_a_day_whichever_way(flow: Flow) -> None:
    flow.service.app.state.settings.account_changes_alone = ALONE
    given = rows(8)
    # Registering households is no change of an account, however many they are.
    first = await send(flow, given)
    assert (first["created_by"], first["sent_by"]) == ("officer@test", "officer@test")
    ids = await households(flow, given)
    authors = await flow.owner.fetch("SELECT DISTINCT changed_by FROM registry.payee_account")
    assert [row["changed_by"] for row in authors] == ["officer@test"]

    assert (await put(flow, ids[0])).status_code == 200
    # A small file, then another: both count.
    small = await send(flow, [replace(given[1], account="+85570000001")])
    assert (small["accounts_changed"], small["account_changes"]) == (1, [])
    assert await account_of(flow, ids[1]) == "+85570000001"
    second = await send(flow, [replace(row, account="+85570000002") for row in given[2:4]])
    (waits,) = second["account_changes"]
    assert (second["accounts_changed"], waits["households"], waits["enrolled"]) == (0, 2, 0)
    assert await account_of(flow, ids[2]) == given[2].account
    assert (await put(flow, ids[4])).status_code == 200
    fourth = await put(flow, ids[5])
    assert proposes(fourth)
    # Of another person, or another day, it is another number.
    assert (await put(flow, ids[6], by="other@test")).status_code == 200
    flow.set_clock(NEXT_DAY)
    assert (await put(flow, ids[7])).status_code == 200


async def test_an_import_leaves_accounts_to_two_persons_and_loads_the_rest(working: Flow) -> None:
    given = rows(4)
    await working.register(given)
    ids = await households(working, given)
    await working.open(BATTAMBANG)

    async def enrolled() -> bool:
        return len((await working.get("/activations"))["items"]) == 1 and bool(
            await working.owner.fetchval("SELECT count(*) = 4 FROM registry.enrolment")
        )

    await eventually(enrolled)
    stranger = Row("KH-150101-000001", "150101")
    changed = [
        replace(row, members=9, provider_code="tonle", account=f"+8559000000{number}")
        for number, row in enumerate(given[:3])
    ]
    file = [*changed, replace(given[3], members=9), stranger]
    ended = await send(working, file)
    assert (ended["households_changed"], ended["households_added"]) == (4, 1)
    (waits,) = ended["account_changes"]
    assert (waits["status"], waits["households"], waits["enrolled"]) == ("waiting", 3, 3)
    shown = await working.get(f"/approvals/{waits['approval_id']}")
    assert shown["what"] == (
        f"Change the accounts of 3 households, 3 of them enrolled, as import {ended['id']} says."
    )
    assert "+855" not in str(shown)
    # Another ministry's program follows rules and progress, and no household.
    async with working.service.client(*SCOPES[Role.MINISTRY], subject="ministry") as ministry:
        for path in ("/approvals", f"/approvals/{waits['approval_id']}"):
            assert (await ministry.get(path)).status_code == 403
    for household_id, row in zip(ids, given, strict=True):
        assert (await working.get(f"/households/{household_id}"))["members"] == 9
        assert await account_of(working, household_id) == row.account
    # Sent again it is asked again, and the officer corrects one account meanwhile, by two persons.
    again = await send(working, file, by="other@test")
    (waits_again,) = again["account_changes"]
    await working.change_account(ids[2], provider="tonle", account="+85591111111")

    async with working.service.client(subject=CHECKER) as checker:
        path = f"/approvals/{waits['approval_id']}/approval"
        approved = await checker.post(path, json={"reason": "Compared with the list."})
        assert approved.json()["outcome"] == f"/v1/imports/{ended['id']}"

    async def finished() -> bool:
        (batch,) = (await working.get(f"/imports/{ended['id']}"))["account_changes"]
        return bool(batch["finished_at"] and batch["changed"] == 2)

    await eventually(finished)
    assert [await account_of(working, household_id) for household_id in ids] == [
        "+85590000000",
        "+85590000001",
        "+85591111111",
        given[3].account,
    ]
    # All of it is taken: the same file changes nothing but what was left alone.
    await working.decided(httpx.Response(202, json={"id": waits_again["approval_id"]}), "refusal")
    third = await send(working, changed[:2])
    assert (third["households_unchanged"], third["account_changes"]) == (2, [])
    listed = {made["id"]: made for made in (await working.get("/imports"))["items"]}
    assert listed[ended["id"]]["account_changes"][0]["changed"] == 2
    assert listed[again["id"]]["sent_by"] == "other@test"
