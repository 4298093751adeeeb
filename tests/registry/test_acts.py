"""What is done with households: nothing is deleted, nobody is paid twice, two decide."""

import asyncio
from typing import Any
from uuid import UUID

import httpx

from tests.registry.flow import BATTAMBANG, Flow, proposes, rows
from tests.registry.people import Person, store
from tests.server import eventually

WHY = {"reason": "As the commune wrote.", "source": "Letter 12/26"}
HEAD = Person(name="Sok Chanthy", phone="+85512345678")
SPOUSE = Person(name="Chan Sophea", relationship="spouse", sex="male", id_number="010203045")
CHILD = Person(name="Sok Bopha", relationship="child")
FAMILY = (HEAD, SPOUSE, CHILD)


async def act(
    flow: Flow, path: str, body: dict[str, Any], *, method: str = "POST", held: str | None = None
) -> httpx.Response:
    headers = flow.key() | ({} if held is None else {"If-Match": held})
    return await flow.client.request(method, path, json=WHY | body, headers=headers)


async def done(flow: Flow, path: str, body: dict[str, Any], *, two: bool = False) -> Any:
    """The household as it is when the act is done, by two persons where it takes two."""
    answer = await act(flow, path, body)
    assert answer.status_code == (202 if two else 200), answer.text
    assert proposes(answer) is two
    if two:
        await flow.approve(answer.json())
    return await flow.get("/".join(path.split("/")[:3]))


async def family(flow: Flow, number: int = 0, people: tuple[Person, ...] = FAMILY) -> str:
    """A household whose members are known one by one."""
    (row,) = rows(1, begin=number)
    await flow.register([row])
    household_id = await flow.household_id(row.registration_number)
    await store(flow, {UUID(household_id): people})
    return household_id


async def ids(flow: Flow, household_id: str) -> list[str]:
    members = (await flow.get(f"/households/{household_id}/members"))["items"]
    return [str(member["id"]) for member in members]


async def kinds(flow: Flow, household_id: str) -> list[str]:
    history = (await flow.get(f"/households/{household_id}/history"))["items"]
    return [change["kind"] for change in history]


async def test_a_household_is_corrected_and_moved_by_whoever_read_it_last(flow: Flow) -> None:
    (row,) = rows(1)
    await flow.register([row])
    household_id = await flow.household_id(row.registration_number)
    path = f"/households/{household_id}"
    read = await flow.client.get(path)
    tag = read.headers["ETag"]
    given: dict[str, Any] = {"members": 7, "person": {"phone": "012 345 678".replace(" ", "")}}
    first, second = await asyncio.gather(
        act(flow, path, given, method="PATCH", held=tag),
        act(flow, f"{path}/move", {"area_code": "020102"}, held=tag),
    )
    # Two who read the same: one of them is told that it has changed.
    assert sorted([first.status_code, second.status_code]) == [200, 412]
    now = (await flow.client.get(path)).headers["ETag"]
    assert now != tag
    if first.status_code == 412:
        assert (await act(flow, path, given, method="PATCH", held=now)).status_code == 200
    else:
        move = {"area_code": "020102"}
        assert (await act(flow, f"{path}/move", move, held=now)).status_code == 200
    corrected = await flow.get(path)
    assert (corrected["members"], corrected["area_code"]) == (7, "020102")
    assert corrected["person"]["phone"] == "+85512345678"
    assert corrected["person"]["name"] == row.head_name
    assert await flow.household_id(row.registration_number) == household_id
    search = {"phone": "+85512345678"}
    found = (await flow.client.post("/households/search", json=search)).json()["items"]
    assert [household["id"] for household in found] == [household_id]
    history = (await flow.get(f"{path}/history"))["items"]
    assert {change["kind"] for change in history[:2]} == {"corrected", "moved"}
    assert {(change["source"], change["reason"]) for change in history[:2]} == {
        (WHY["source"], WHY["reason"])
    }
    # Nothing that a file said before undoes it, and it is told without what it was.
    assert (await flow.register([row]))["households_unchanged"] == 1
    told = await flow.events("household-changed")
    assert {event["changes"][0] for event in told} == {"correction", "move"}

    for place, status in (
        ({"area_code": "999999"}, 422),
        ({"area_code": "020102"}, 409),
        ({"area_code": "020101", "village_code": "02010201"}, 422),
        ({"area_code": "020101", "village_code": "02010199"}, 422),
        ({"area_code": "0201"}, 422),
    ):
        assert (await act(flow, f"{path}/move", place)).status_code == status, place
    await flow.owner.execute("UPDATE registry.area SET ended_at = now() WHERE code = '020103'")
    ended = await act(flow, f"{path}/move", {"area_code": "020103"})
    assert (ended.status_code, "in force no more" in ended.text) == (422, True)
    wrongs: tuple[dict[str, Any], ...] = (
        {"members": 0},
        {"disabled": 8},
        {"person": {"phone": "abc"}},
        {"person": {}},
        {},
    )
    for wrong in wrongs:
        refused = await act(flow, path, wrong, method="PATCH")
        assert refused.status_code == 422, wrong
    assert (await act(flow, path, {"person": {"name": None}}, method="PATCH")).status_code == 422


async def test_a_death_a_departure_and_who_is_the_head_then(flow: Flow) -> None:
    household_id = await family(flow)
    other_id = await family(flow, 1)
    path = f"/households/{household_id}"
    head, spouse, child = await ids(flow, household_id)
    died = {"died_on": "2026-01-02"}
    assert (await act(flow, f"{path}/members/{head}/death", died)).status_code == 422
    future = died | {"died_on": "2030-01-02", "new_head_id": spouse}
    assert (await act(flow, f"{path}/members/{head}/death", future)).status_code == 422
    now = await done(flow, f"{path}/members/{head}/death", died | {"new_head_id": spouse})
    assert now["person"]["name"] == SPOUSE.name
    assert (now["person"]["id_number"], now["person"]["phone"]) == (SPOUSE.id_number, None)
    assert now["members"] == 2
    assert [(member["name"], member["relationship"]) for member in now["listed"]] == [
        (SPOUSE.name, "head"),
        (CHILD.name, "child"),
    ]
    again = await act(flow, f"{path}/members/{head}/death", died | {"new_head_id": spouse})
    assert again.status_code == 404
    assert await kinds(flow, household_id) == [
        *["member-died"] * 4,
        "corrected",
        *(["member-joined", "registered"]),
    ]

    # The child joins the other household, and is the same person there.
    joins = {"left_on": "2026-01-03", "to_household_id": other_id, "relationship": "other-relative"}
    own = joins | {"to_household_id": household_id}
    assert (await act(flow, f"{path}/members/{child}/departure", own)).status_code == 422
    await done(flow, f"{path}/members/{child}/departure", joins)
    there = await flow.get(f"/households/{other_id}")
    assert there["members"] == 4
    joined = there["listed"][3]
    assert (joined["name"], joined["member_number"], joined["relationship"]) == (
        CHILD.name,
        4,
        "other-relative",
    )
    came_from = await flow.owner.fetchval(
        "SELECT came_from FROM registry.member WHERE id = $1", UUID(joined["id"])
    )
    assert str(came_from) == child
    # The last one cannot leave; with their death the household is archived.
    last = {"left_on": "2026-01-03"}
    assert (await act(flow, f"{path}/members/{spouse}/departure", last)).status_code == 409
    await done(flow, f"{path}/members/{spouse}/death", died)
    archived = await flow.owner.fetchval(
        "SELECT archived_because FROM registry.household WHERE id = $1", UUID(household_id)
    )
    assert archived == "died"
    (counted,) = rows(1, begin=7)
    await flow.register([counted])
    counted_id = await flow.household_id(counted.registration_number)
    nobody = await act(flow, f"/households/{counted_id}/members/{child}/death", died)
    assert (nobody.status_code, "Only counts" in nobody.text) == (409, True)


async def test_nobody_is_paid_twice_for_a_split_or_a_merger(working: Flow) -> None:
    household_id = await family(working)
    other_id = await family(working, 1)
    path = f"/households/{household_id}"
    activation_id = await working.open("020101")
    await working.worked(activation_id)
    head, spouse, child = await ids(working, household_id)
    number = "KH-020101-000900"
    split: dict[str, Any] = {
        "registration_number": number,
        "members": [
            {"member_id": spouse, "relationship": "head"},
            {"member_id": child, "relationship": "child"},
        ],
    }
    both = split["members"]
    spouse_alone = [{"member_id": spouse, "relationship": "head"}]
    for given, status in (
        (split | {"members": [{"member_id": head, "relationship": "head"}]}, 409),
        (
            split | {"members": [*both, {"member_id": head, "relationship": "child"}]},
            409,
        ),
        (split | {"members": [{"member_id": child, "relationship": "child"}]}, 422),
        (split | {"members": spouse_alone * 2}, 422),
        (split | {"registration_number": rows(2)[1].registration_number}, 409),
        (split | {"members": [{"member_id": other_id, "relationship": "head"}]}, 404),
    ):
        assert (await act(working, f"{path}/split", given)).status_code == status, given
    asked = await act(working, f"{path}/split", split)
    assert asked.status_code == 202
    assert "000900" not in asked.text
    # What it was proposed for has changed: it is asked again.
    await done(working, f"{path}/move", {"area_code": "020102"})
    assert (await working.decided(asked)).status_code == 409
    left = await done(working, f"{path}/split", split, two=True)
    assert (left["members"], left["area_code"]) == (1, "020102")
    new_id = await working.household_id(number)
    new = await working.get(f"/households/{new_id}")
    assert (new["members"], new["person"]["name"], new["payee_account"]) == (2, SPOUSE.name, None)
    assert [member["member_number"] for member in new["listed"]] == [1, 2]
    assert (await kinds(working, new_id))[-1] == "split"
    await working.change_account(new_id, provider="mekong", account="+85577777777")

    # A later report reaches where they live now: they were enrolled, and are not again; nor is a
    # household that was not enrolled, and took in one that was.
    late = await family(working, 2)
    await done(working, f"/households/{late}/move", {"area_code": "020102"})
    merger = {"merged_id": other_id}
    itself = await act(working, f"/households/{late}/merger", {"merged_id": late})
    assert itself.status_code == 422
    unknown = await act(working, f"/households/{late}/merger", {"merged_id": activation_id.hex})
    assert unknown.status_code == 404
    merged = await done(working, f"/households/{late}/merger", merger, two=True)
    assert merged["members"] == 6
    assert (await act(working, f"/households/{late}/merger", merger)).status_code == 409
    stranger = await family(working, 3)
    await done(working, f"/households/{stranger}/move", {"area_code": "020102"})
    await working.widen(activation_id, "020101", "020102")
    await working.worked(activation_id, runs=2)
    enrolled = await working.owner.fetch("SELECT household_id FROM registry.enrolment")
    assert {str(row["household_id"]) for row in enrolled} == {household_id, other_id, stranger}
    # What they were owed is told still, of the one that is archived, too.
    owed = await working.get(f"/households/{other_id}/entitlements")
    assert [entitlement["status"] for entitlement in owed["items"]] == ["ready"]
    past = await working.get(f"/households/{other_id}")
    assert (past["archived_because"], past["merged_into"]) == ("merged", late)
    assert merged["archived_at"] is merged["merged_into"] is None
    assert (await act(working, f"/households/{other_id}/restoration", {})).status_code == 409
    # Another activation finds each of them.
    second = await working.open("020102")
    await working.worked(second)
    enrolled = await working.owner.fetch(
        "SELECT household_id FROM registry.enrolment WHERE activation_id = $1", second
    )
    found = {str(row["household_id"]) for row in enrolled}
    assert found == {household_id, new_id, late, stranger}


async def test_an_archived_household_is_enrolled_in_nothing_and_erased_for_good(
    working: Flow,
) -> None:
    household_id = await family(working)
    path = f"/households/{household_id}"
    erase = f"{path}/erasure"
    (row,) = rows(1)
    await done(working, path + "/move", {"area_code": "020102"})
    activation_id = await working.open("020102")
    await working.worked(activation_id)
    because = {"because": "moved-away"}
    assert (await act(working, f"{path}/archive", {"because": "merged"})).status_code == 422
    assert (await act(working, erase, {})).status_code == 409
    await done(working, f"{path}/archive", because, two=True)
    assert (await act(working, f"{path}/archive", because)).status_code == 409
    owed = await act(working, erase, {})
    assert (owed.status_code, "can still be paid" in owed.text) == (409, True)
    await working.cancel(activation_id)

    async def cancelled() -> bool:
        return bool((await working.get(f"/activations/{activation_id}"))["cancelled_on"])

    await eventually(cancelled)
    second = await working.open(BATTAMBANG)
    await working.worked(second)
    assert not await working.owner.fetchval(
        "SELECT count(*) FROM registry.enrolment WHERE activation_id = $1", second
    )
    await done(working, f"{path}/restoration", {})
    await done(working, f"{path}/archive", because)

    due = await working.get("/households/erasures-due")
    assert due["items"] == []
    await working.owner.execute(
        "UPDATE registry.household SET archived_at = archived_at - interval '3 years'"
    )
    # As payments says of what was cancelled: it is on its way no more.
    assert (await working.get("/households/erasures-due"))["items"] == []
    await working.owner.execute(
        "UPDATE registry.entitlement SET status = 'unpayable', finished_at = now()"
    )
    due = await working.get("/households/erasures-due")
    assert [household["id"] for household in due["items"]] == [household_id]

    erased = await done(working, erase, {}, two=True)
    assert set(erased["person"].values()) == {None}
    assert (erased["payee_account"], erased["area_code"]) == (None, "020102")
    assert (erased["archived_because"], erased["erased_at"] is None) == ("moved-away", False)
    assert (await act(working, erase, {})).status_code == 409
    assert (await act(working, f"{path}/move", {"area_code": "020101"})).status_code == 409
    members = (await working.get(f"{path}/members"))["items"]
    assert {(member["name"], member["birth_date"]) for member in members} == {(None, None)}
    history = await working.get(f"{path}/history", limit=500)
    then = await working.get(path, as_of=str((await working.get(path))["changed_at"])[:10])
    for shown in (history, then, members, erased):
        for value in (HEAD.name, SPOUSE.name, "1990-05-05", row.registration_number, row.account):
            assert value not in str(shown), value
    # No column of any table opens to who they were: a file does not bring them back either.
    for search in ({"phone": "+85512345678"}, {"account": row.account}):
        found = await working.client.post("/households/search", json=search)
        assert found.json()["items"] == []
    again = await working.register([row])
    assert (again["households_unchanged"], again["households_added"]) == (1, 0)
    assert set((await working.get(path))["person"].values()) == {None}
    # Nor does an officer give it an account, or a member.
    account = {"provider_code": "mekong", "account": "+85512000000"}
    given = await working.client.put(f"{path}/payee-account", json=account)
    baby = {"relationship": "child", "sex": "male", "birth_date": "2025-12-01", "name": "Sok Vanna"}
    added = await working.client.post(f"{path}/members", json=baby, headers=working.key())
    assert (given.status_code, added.status_code) == (409, 409)
    # What was paid, and for how many, stays.
    owed = await working.get(f"{path}/entitlements")
    assert len(owed["items"]) == 1


async def test_whoever_decides_several_has_all_of_them_before_households_are_locked(
    flow: Flow,
) -> None:
    families = [await family(flow, number) for number in range(4)]
    proposals = []
    for stays, merged in (families[:2], families[2:]):
        asked = await act(flow, f"/households/{stays}/merger", {"merged_id": merged})
        proposals.append(asked.json()["id"])
    alone = flow.owner.transaction()
    await alone.start()
    await flow.owner.execute(
        "SELECT FROM registry.approval WHERE id = $1 FOR UPDATE", max(proposals)
    )

    async def waits() -> bool:
        return bool(await flow.owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async with flow.service.client(subject="checker@test") as checker:
        decision = {"approval_ids": proposals, "decision": "approved", "reason": "Seen."}
        deciding = asyncio.create_task(
            checker.post("/approvals/decisions", json=decision, headers=flow.key())
        )
        await eventually(waits)
        # As whoever approves that one alone goes on.
        fence = "SELECT pg_try_advisory_xact_lock(7202, 0)"
        assert await flow.owner.fetchval(fence)
        await alone.rollback()
        decided = await deciding
    assert [result["decided"] for result in decided.json()["results"]] == [True, True]
