"""Who may be registered twice: found by what two have in common, decided, and paid once."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.registry.household_keys.repository import materials_on
from services.registry.households.persons import personal_data_from
from services.registry.linkage import comparing
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.members.storing import seal_members, store_members
from services.registry.settings import ApiSettings
from shared.worker import Worker
from tests.hearing import hear
from tests.registry.flow import BATTAMBANG, FAR, PURSAT, Flow, Row, rows
from tests.registry.suspects import compare, decided, entitlements, look, suspects, twice, work
from tests.server import eventually


async def test_what_two_households_share_is_found_shown_side_by_side_and_decided(
    flow: Flow, worker: Worker
) -> None:
    early, late = twice("010203045")
    phones = rows(2, begin=10, phone="+85512345678")
    many = rows(5, begin=20, phone="+85512999999")
    account = rows(2, begin=30, account="+85511111111", phone="+85512777777")
    await flow.register([early, *rows(5, begin=40), *phones, *many, *account])
    assert await look(worker) == 1 + 10 + 1
    assert await look(worker) == 0
    # Whom a later import brings is compared with all who are there.
    await flow.register([late])
    assert await look(worker) == 1

    first, *others = await suspects(flow)
    assert (first["score"], first["holds"], first["standing"]) == (990, True, "undecided")
    assert first["grounds"] == [
        {
            "ground": "id-number",
            "english": "The same ID number",
            "khmer": "លេខអត្តសញ្ញាណប័ណ្ណដូចគ្នា",
        }
    ]
    assert first["first"]["household_id"] == await flow.household_id(early.registration_number)
    assert (first["first"]["area_code"], first["second"]["area_code"]) == ("020101", "150101")
    assert first["first"]["person"]["name"] == "Sok Chanthy"
    assert first["second"]["person"]["name"] == "Chanthy Sok"
    number = first["first"]["person"]["registration_number"]
    assert number
    assert number != first["second"]["person"]["registration_number"]
    # An account alone is a family's; with the phone it is more. A phone of many says little.
    assert [
        (each["score"], each["holds"], [ground["ground"] for ground in each["grounds"]])
        for each in others[:3]
    ] == [
        (960, True, ["account", "phone"]),
        (600, False, ["phone"]),
        (300, False, ["phone"]),
    ]
    assert len(others) == 12

    # Pages, filters, and whoever may not see persons.
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await flow.get("/duplicates", limit=5, **cursor)
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [each["id"] for each in (first, *others)]
    assert len(await suspects(flow, ground="id-number")) == 1
    assert len(await suspects(flow, area=PURSAT)) == 1
    assert len(await suspects(flow, least_score=600)) == 3
    async with flow.service.client("households:read") as client:
        answer = await client.get("/duplicates")
        assert {each["first"]["person"] for each in answer.json()["items"]} == {None}
        refused = await client.put(
            f"/duplicates/{first['id']}/decision", json={"decision": "keep", "reason": "No."}
        )
        assert refused.status_code == 403

    # A decision, its undoing, and both in the history.
    kept = await decided(flow, first["id"], "merge")
    assert (kept["standing"], kept["holds"]) == ("merge", True)
    assert [each["id"] for each in await suspects(flow, standing="merge")] == [first["id"]]
    await decided(flow, first["id"], "dismiss", status=409)
    undone = await flow.client.put(
        f"/duplicates/{first['id']}/undoing", json={"reason": "It was about the neighbours."}
    )
    assert undone.json()["standing"] == "undecided"
    dismissed = await decided(flow, first["id"], "dismiss")
    assert (dismissed["standing"], dismissed["holds"]) == ("dismiss", False)
    assert [step["step"] for step in dismissed["decisions"]] == ["dismiss", "undo", "merge"]
    # It is not found again by what was decided about.
    await flow.owner.execute("UPDATE registry.household SET area_code = area_code")
    await look(worker)
    assert (await flow.get(f"/duplicates/{first['id']}"))["standing"] == "dismiss"

    # Many at once take a second person.
    proposal = await flow.post(
        "/duplicates/decisions",
        {"decision": "keep", "least_score": 300, "most_score": 600, "reason": "Seen."},
        status=202,
    )
    assert "11 suspected duplicates" in proposal["what"]
    await flow.approve(proposal)
    assert len(await suspects(flow, standing="keep")) == 11
    (left,) = await suspects(flow, standing="undecided")
    assert left["score"] == 960

    # What was corrected is withdrawn.
    await flow.register([Row(**{**account[0].__dict__, "phone": ""})])
    await flow.change_account(
        await flow.household_id(account[0].registration_number),
        provider="mekong",
        account="+85511111112",
    )
    assert await look(worker) == 1
    assert await suspects(flow, standing="undecided") == []
    assert (await flow.client.get(f"/duplicates/{UUID(int=1)}")).status_code == 404


async def test_of_two_one_is_paid_and_the_other_once_the_suspicion_is_dismissed(
    flow: Flow, worker: Worker
) -> None:
    await flow.post_scheme()
    await flow.register([*twice("010203045"), *rows(1, begin=5)])
    await look(worker)
    activation_id = await flow.open(BATTAMBANG, PURSAT)
    await work(worker)
    made = await entitlements(flow, activation_id)
    assert sorted((status, reason) for _, status, reason in made if reason) == [
        ("unpayable", "suspected-duplicate")
    ]
    assert [status for _, status, _ in made].count("ready") == 2
    completed = (await flow.events("enrolment-completed"))[-1]
    assert (completed["entitlements"], completed["unpayable"]) == (2, 1)
    ready = await flow.events("entitlements-ready")
    assert sum(event["count"] for event in ready) == 2
    summary = await flow.get(f"/activations/{activation_id}/summary")
    assert summary["reasons"] == {"suspected-duplicate": 1}

    # Nobody announces it again while it waits; afterwards a repair does.
    held = await flow.client.post(
        f"/activations/{activation_id}/repairs",
        json={"round": 1, "reason": "All are owed."},
        headers=flow.key(),
    )
    assert held.status_code == 409, held.text
    (suspect,) = await suspects(flow)
    await decided(flow, suspect["id"], "dismiss")
    await flow.post(
        f"/activations/{activation_id}/repairs", {"round": 1, "reason": "They are two."}
    )
    await work(worker)
    assert [status for _, status, _ in await entitlements(flow, activation_id)] == ["ready"] * 3


@pytest.mark.parametrize("together", [True, False])
async def test_two_chunks_at_the_same_time_pay_a_suspected_pair_once(
    flow: Flow, worker: Worker, together: bool
) -> None:
    await flow.post_scheme()
    pairs = [
        Row(**{**row.__dict__, "id_number": f"0102030{at:02d}"})
        for commune in ("020101", "150101")
        for at, row in enumerate(rows(10, commune=commune))
    ]
    await flow.register(pairs)
    await look(worker)
    activation_id = await flow.open(BATTAMBANG, PURSAT)
    await hear(worker, "registry")
    if together:
        async with flow.owner.transaction():
            # Both have made their entitlements before either looks at the suspicions.
            await flow.owner.execute(
                "LOCK TABLE registry.duplicate_suspect IN ACCESS EXCLUSIVE MODE"
            )
            steps = [asyncio.create_task(worker.step(f"enrol-{number}")) for number in (1, 2)]

            async def both_wait() -> bool:
                return bool(await flow.owner.fetchval(WAITING) == 2)

            await eventually(both_wait)
        await asyncio.gather(*steps)
    await work(worker)
    made = await entitlements(flow, activation_id)
    assert len(made) == 20
    assert sum(status == "ready" for _, status, _ in made) == 10
    assert sum(reason == "suspected-duplicate" for _, _, reason in made) == 10


async def list_members(flow: Flow, household_id: str, *people: tuple[str, str, str]) -> None:
    """The members of a household as rows, the first its head."""
    ids = [UUID(household_id)] * len(people)
    keys = personal_data_from(ApiSettings()).giving(await materials_on(flow.owner, ids))
    columns: dict[str, list[Any]] = {known.name: [None] * len(people) for known in MEMBER_SHAPE}
    columns |= {
        "member_number": [at + 1 for at in range(len(people))],
        "relationship": ["head", *["child"] * (len(people) - 1)],
        "name": [name for name, _, _ in people],
        "birth_date": [date.fromisoformat(born) for _, born, _ in people],
        "sex": [sex for _, _, sex in people],
        "disability": [False] * len(people),
        "programmes": [()] * len(people),
    }
    sealed = seal_members(
        ids,
        columns,
        known={},
        personal_data=keys,
        now=datetime.now(UTC),
    )
    async with flow.owner.transaction():
        await store_members(flow.owner, sealed, today=date(2022, 1, 1))


async def test_who_is_alike_is_found_in_both_scripts_and_twins_are_not(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [*rows(4), *rows(2, commune="150101")]
    await flow.register(given)
    ids = [await flow.household_id(row.registration_number) for row in given]
    # Two scripts, the names swapped, another village, and the year beside.
    await list_members(
        flow, ids[0], ("Sok Socheat", "1981-03-17", "female"), ("Sok Dara", "2010-05-06", "male")
    )
    await list_members(
        flow, ids[4], ("សុជាតិ សុខ", "1982-03-17", "female"), ("សុខ តារា", "2010-05-06", "male")
    )
    # Twins who live side by side.
    await list_members(flow, ids[1], ("Chea Sopheap", "1990-07-21", "female"))
    await list_members(flow, ids[2], ("Chea Chanthy", "1990-07-21", "female"))
    # A neighbour of the same name, forty years older.
    await list_members(flow, ids[3], ("Meas Vuthy", "1950-02-03", "male"))
    await list_members(flow, ids[5], ("Meas Vuthy", "1990-11-23", "male"))

    assert (await compare(flow))[0].startswith("8 persons read, 8 of them new or changed")
    several = await suspects(flow)
    assert len(several) == 1, [
        (s["score"], s["first"]["person"], s["second"]["person"]) for s in several
    ]
    (found,) = several
    assert {found["first"]["household_id"], found["second"]["household_id"]} == {ids[0], ids[4]}
    assert found["holds"]
    assert [ground["ground"] for ground in found["grounds"]] == ["name", "birth-date"]
    assert found["first"]["person"]["name"] in ("Sok Dara", "សុខ តារា", "Sok Socheat", "សុជាតិ សុខ")

    # Nobody is new: nobody is compared. What was decided stays decided.
    lines = await compare(flow)
    assert " 0 of them new or changed" in lines[0]
    await decided(flow, found["id"], "keep")
    await flow.owner.execute("UPDATE registry.household SET area_code = area_code")
    monkeypatch.setattr(comparing, "_TOLD_EACH_SECONDS", 0)
    lines = await compare(flow)
    assert lines[0].startswith("8 persons read so far")
    assert lines[2].startswith("Comparing 8 of them with everybody")
    assert lines[3].startswith("1 suspicions kept so far")
    assert lines[4].startswith("2 pairs of persons are alike; 0 suspicions are new or changed.")
    assert [each["standing"] for each in await suspects(flow)] == ["keep"]


WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND relation = 'registry.duplicate_suspect'::regclass
"""
BOTH_READY = """
    SELECT suspect.id FROM registry.duplicate_suspect AS suspect
    JOIN registry.entitlement AS theirs ON theirs.household_id = suspect.first_household_id
    JOIN registry.entitlement AS own ON own.household_id = suspect.second_household_id
        AND own.activation_id = theirs.activation_id AND own.round = theirs.round
    WHERE suspect.holds AND theirs.status = 'ready' AND own.status = 'ready'
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_the_order_no_undecided_pair_is_paid_twice(
    flow: Flow, worker: Worker, seed: int
) -> None:
    """Imports, looks, chunks, decisions, undoing and repairs, as they come; only what was paid
    twice before anybody suspected it may be."""
    draws = Random(seed)
    communes = ["020101", "020102", "150101", "150102"]
    await flow.post_scheme()
    numbers = [f"0102030{at:02d}" for at in range(8)]
    waiting = [
        Row(**{**rows(1, commune=commune, begin=at)[0].__dict__, "id_number": number})
        for at, number in enumerate(numbers)
        for commune in draws.sample(communes, 3)
    ]
    draws.shuffle(waiting)
    await flow.register(waiting[:12])
    activation_id = await flow.open("0201", ceiling=FAR)
    known_before: set[UUID] = set()

    async def both_ready() -> set[UUID]:
        return {row["id"] for row in await flow.owner.fetch(BOTH_READY)}

    async def begins_to_hold(change: Awaitable[Any]) -> None:
        await change
        known_before.update(await both_ready())

    later = [waiting[12:18], waiting[18:]]
    for _ in range(24):
        match draws.randrange(6):
            case 0 if later:
                await flow.register(later.pop())
            case 1:
                await begins_to_hold(look(worker))
            case 2:
                await worker.step("events")
                await asyncio.gather(worker.step("enrol-1"), worker.step("enrol-2"))
            case 3:
                await flow.widen(activation_id, "0201", draws.choice(["1501", "02", "15"]))
            case 4:
                listed = await suspects(flow, standing="undecided")
                if listed:
                    await decided(flow, draws.choice(listed)["id"], "dismiss")
            case _:
                listed = await suspects(flow, standing="dismiss")
                if listed:
                    suspect_id = draws.choice(listed)["id"]
                    await begins_to_hold(
                        flow.client.put(f"/duplicates/{suspect_id}/undoing", json={"reason": "No."})
                    )
        assert await both_ready() <= known_before
    await begins_to_hold(look(worker))
    await work(worker)
    await flow.widen(activation_id, "0201", "15", "02")
    await work(worker)
    proposal = await flow.client.post(
        f"/activations/{activation_id}/repairs",
        json={"round": 1, "reason": "All who are owed."},
        headers=flow.key(),
    )
    if proposal.status_code == 202:
        await flow.decided(proposal)
        await work(worker)
    assert await both_ready() <= known_before
