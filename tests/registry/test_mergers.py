"""A decision to merge is carried out by two persons, and what was suspected is settled with it."""

import asyncio
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.registry.duplicates import repository
from services.registry.duplicates.statements import FIND_EXACT
from services.registry.settings import DuplicatesSettings
from shared.clock import FileClock
from shared.database import Database
from shared.worker import Worker
from tests.hearing import hear
from tests.registry.editions import live_in_small_country, sent
from tests.registry.flow import BATTAMBANG, FAR, PURSAT, Flow, Row, rows
from tests.registry.people import Person, store
from tests.registry.suspects import compare, decided, entitlements, look, suspects, twice, work
from tests.server import eventually

WHY = "The same family, registered twice."


def with_number(row: Row, number: str) -> Row:
    return Row(**{**row.__dict__, "id_number": number})


async def suspected(flow: Flow, worker: Worker, **fields: Any) -> dict[str, Any]:
    """One suspicion, about two households of one ID number."""
    await flow.register(twice("010203045", **fields))
    await look(worker)
    (suspect,) = await suspects(flow)
    return suspect


def sides(suspect: dict[str, Any]) -> tuple[str, str]:
    return suspect["first"]["household_id"], suspect["second"]["household_id"]


async def to_merge(
    flow: Flow, suspect_id: str, stays_id: str, *, reason: str = WHY, **fields: Any
) -> httpx.Response:
    return await flow.client.put(
        f"/duplicates/{suspect_id}/decision",
        json={"decision": "merge", "reason": reason, "stays_id": stays_id} | fields,
        headers=flow.key(),
    )


async def proposed(flow: Flow, suspect_id: str, stays_id: str, **fields: Any) -> dict[str, Any]:
    answer = await to_merge(flow, suspect_id, stays_id, **fields)
    assert answer.status_code == 200, answer.text
    merger: dict[str, Any] = answer.json()["merger"]
    assert merger["status"] == "waiting"
    return {"id": merger["approval_id"]}


async def merged_by_hand(flow: Flow, stays_id: str, merged_id: str) -> None:
    """By the act itself, whatever is suspected."""
    proposal = await flow.post(
        f"/households/{stays_id}/merger", {"merged_id": merged_id, "reason": WHY}, status=202
    )
    await flow.approve(proposal)


async def standing(flow: Flow, suspect_id: str) -> tuple[str, list[str]]:
    found = await flow.get(f"/duplicates/{suspect_id}")
    return found["standing"], [step["step"] for step in found["decisions"]]


async def everything_changes(flow: Flow) -> None:
    """Have the next looks see every household and member anew."""
    await flow.owner.execute("UPDATE registry.household SET area_code = area_code")
    await flow.owner.execute("UPDATE registry.member SET joined_on = joined_on")


async def test_a_merger_is_proposed_with_the_decision_and_settles_it(
    flow: Flow, worker: Worker
) -> None:
    suspect = await suspected(flow, worker)
    suspect_id, (first, second) = suspect["id"], sides(suspect)
    assert (suspect["merger"], suspect["settled_at"]) == (None, None)
    for given, status in (
        ({"stays_id": suspect_id}, 422),
        ({"stays_id": first, "decision": "keep"}, 422),
    ):
        refused = await to_merge(flow, suspect_id, **given)
        assert (refused.status_code, "stays_id" in refused.text) == (status, True)

    # Sent several times, as one whose answer is lost sends it: it is done once.
    key = flow.key()
    body = {"decision": "merge", "reason": WHY, "stays_id": first}
    path = f"/duplicates/{suspect_id}/decision"
    answers = await asyncio.gather(
        *(flow.client.put(path, json=body, headers=key) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {200}, [each.text for each in answers]
    assert len({answer.text for answer in answers}) == 1
    told = answers[0].json()
    assert (told["standing"], told["holds"]) == ("merge", True)
    merger = told["merger"]
    assert (merger["status"], merger["stays_id"], merger["merged_id"]) == ("waiting", first, second)
    assert [(step["step"], step["approval_id"]) for step in told["decisions"]] == [
        ("merge", merger["approval_id"])
    ]
    assert await flow.owner.fetchval("SELECT count(*) FROM registry.approval") == 1
    other = await to_merge(flow, suspect_id, second)
    assert (other.status_code, merger["approval_id"] in other.text) == (409, True)
    await decided(flow, suspect_id, "keep", status=409)
    # No one hand: whoever proposed it does not approve it.
    own = await flow.client.post(
        f"/approvals/{merger['approval_id']}/approval", json={"reason": "Quickly."}
    )
    assert own.status_code == 409

    household = await flow.approve({"id": merger["approval_id"]})
    assert (household["id"], household["members"]) == (first, 8)
    settled = await flow.get(f"/duplicates/{suspect_id}")
    assert (settled["standing"], settled["merger"]["status"]) == ("merged", "approved")
    assert settled["settled_at"]
    assert (settled["second"]["merged_into"], settled["first"]["merged_into"]) == (first, None)
    assert settled["second"]["archived_at"]
    assert [step["step"] for step in settled["decisions"]] == ["merged", "merge"]
    for kind, found in (("undecided", 0), ("merge", 0), ("merged", 1)):
        assert len(await suspects(flow, standing=kind)) == found, kind

    undone = await flow.client.put(f"/duplicates/{suspect_id}/undoing", json={"reason": "No."})
    assert (undone.status_code, "/split" in undone.text) == (422, True)
    assert (await to_merge(flow, suspect_id, first)).status_code == 409
    await decided(flow, suspect_id, "dismiss", status=409)
    # Neither look finds the two again, nor the one that is part of the other.
    await everything_changes(flow)
    assert await look(worker) == 0
    await compare(flow)
    assert [each["standing"] for each in await suspects(flow)] == ["merged"]


async def test_a_merger_that_is_not_agreed_to_waits_for_a_decision_again(
    flow: Flow, worker: Worker
) -> None:
    suspect = await suspected(flow, worker)
    suspect_id, (first, second) = suspect["id"], sides(suspect)
    undoing = f"/duplicates/{suspect_id}/undoing"

    declined = await proposed(flow, suspect_id, first)
    async with flow.service.client(subject="checker@test") as checker:
        path = f"/approvals/{declined['id']}/refusal"
        assert (await checker.post(path, json={"reason": "Two brothers."})).status_code == 200
    found = await flow.get(f"/duplicates/{suspect_id}")
    assert (found["standing"], found["holds"], found["reason"]) == ("undecided", True, None)
    assert found["merger"]["status"] == "declined"
    last = found["decisions"][0]
    assert (last["step"], last["reason"], last["decided_by"]) == (
        "declined",
        "Two brothers.",
        "checker@test",
    )

    withdrawn = await proposed(flow, suspect_id, second)
    assert (await flow.client.delete(f"/approvals/{withdrawn['id']}")).status_code == 200
    assert (await standing(flow, suspect_id))[0] == "undecided"

    # Decided alone it waits; the merger is asked for later, and again when nobody looked in time.
    await decided(flow, suspect_id, "merge")
    expired = await proposed(flow, suspect_id, first)
    now = FileClock(flow.clock_file).now()
    flow.set_clock(now + timedelta(days=8))
    found = await flow.get(f"/duplicates/{suspect_id}")
    assert (found["standing"], found["merger"]["status"]) == ("merge", "expired")
    undone = await proposed(flow, suspect_id, first)
    assert undone["id"] != expired["id"]

    assert (await flow.client.put(undoing, json={"reason": "Neighbours."})).status_code == 200
    kind, steps = await standing(flow, suspect_id)
    assert kind == "undecided"
    assert steps == ["undo", "merge", "merge", "merge", "declined", "merge", "declined", "merge"]
    late = await flow.client.get(f"/approvals/{undone['id']}")
    assert (late.json()["status"], "Neighbours." in late.text) == ("declined", True)
    async with flow.service.client(subject="checker@test") as checker:
        path = f"/approvals/{undone['id']}/approval"
        assert (await checker.post(path, json={"reason": "Fine."})).status_code == 409
    assert (await flow.client.put(undoing, json={"reason": "No."})).status_code == 409
    assert not await flow.owner.fetchval(
        "SELECT count(*) FROM registry.household WHERE archived_at IS NOT NULL"
    )


async def test_an_undoing_and_an_approval_at_one_moment_agree(flow: Flow, worker: Worker) -> None:
    outcomes = set()
    for seed in range(4):
        number = f"0102030{seed:02d}"
        pair = [with_number(row, number) for row in rows(2, begin=10 * seed + 100)]
        await flow.register(pair)
        await look(worker)
        (suspect,) = await suspects(flow, standing="undecided", least_score=990)
        proposal = await proposed(flow, suspect["id"], sides(suspect)[0])
        async with flow.service.client(subject="checker@test") as checker:
            approve = checker.post(f"/approvals/{proposal['id']}/approval", json={"reason": "Yes."})
            undo = flow.client.put(
                f"/duplicates/{suspect['id']}/undoing", json={"reason": "Not them."}
            )
            calls = [approve, undo] if seed % 2 else [undo, approve]
            answers = await asyncio.gather(*calls)
        statuses = [each.status_code for each in (answers if seed % 2 else answers[::-1])]
        kind, _ = await standing(flow, suspect["id"])
        # Approved, it is one household and cannot be undone; undone, it cannot be approved.
        assert (statuses, kind) in (([200, 422], "merged"), ([409, 200], "undecided")), statuses
        outcomes.add(kind)
        if kind == "undecided":
            await decided(flow, suspect["id"], "dismiss")
    assert outcomes


async def test_a_merger_by_hand_settles_too_and_what_has_changed_is_refused(
    flow: Flow, worker: Worker
) -> None:
    suspect = await suspected(flow, worker)
    suspect_id, (first, second) = suspect["id"], sides(suspect)
    await decided(flow, suspect_id, "dismiss")
    await flow.client.put(f"/duplicates/{suspect_id}/undoing", json={"reason": "They are."})
    waiting = await proposed(flow, suspect_id, first)
    # Somebody else merges them meanwhile, the other way round.
    await merged_by_hand(flow, second, first)
    kind, steps = await standing(flow, suspect_id)
    assert (kind, steps[0]) == ("merged", "merged")
    async with flow.service.client(subject="checker@test") as checker:
        path = f"/approvals/{waiting['id']}"
        late = await checker.post(f"{path}/approval", json={"reason": "Yes."})
        assert (late.status_code, "changed since" in late.text) == (409, True)
        assert (await checker.post(f"{path}/refusal", json={"reason": "Done."})).status_code == 200
    # What was declined then reopens nothing: they are one.
    assert (await standing(flow, suspect_id))[0] == "merged"

    # Two of whom nothing was suspected are not suspected afterwards.
    pair = [with_number(row, "010203099") for row in rows(2, begin=50)]
    await flow.register(pair)
    stays, merged = [await flow.household_id(row.registration_number) for row in pair]
    await merged_by_hand(flow, stays, merged)
    await look(worker)
    await compare(flow)
    assert [each["id"] for each in await suspects(flow)] == [suspect_id]

    # Who is archived cannot be merged; who is erased is shown without a name.
    await flow.register([with_number(row, "010203077") for row in rows(2, begin=60)])
    await look(worker)
    (suspect,) = await suspects(flow, standing="undecided")
    stays, gone = sides(suspect)
    body = {"because": "moved-away", "reason": "Left."}
    await flow.post(f"/households/{gone}/archive", body, status=200)
    refused = await to_merge(flow, suspect["id"], stays)
    assert (refused.status_code, "archived" in refused.text) == (409, True)
    erasure = await flow.post(f"/households/{gone}/erasure", {"reason": "Old."}, status=202)
    await flow.approve(erasure)
    assert (await to_merge(flow, suspect["id"], stays)).status_code == 409
    (erased,) = await suspects(flow, household_id=gone)
    assert (erased["second"]["person"]["name"], erased["standing"]) == (None, "undecided")
    await decided(flow, suspect["id"], "dismiss")


async def test_what_a_look_found_before_a_merger_is_not_kept_after_it(flow: Flow) -> None:
    pair = [with_number(row, "010203045") for row in rows(2)]
    await flow.register(pair)
    stays, merged = [await flow.household_id(row.registration_number) for row in pair]
    settings = DuplicatesSettings()
    database = Database(settings.database_url, application_name="test")
    now = FileClock(flow.clock_file).now()
    alike = {
        "a": [UUID(stays)],
        "b": [UUID(merged)],
        "member_a": [None],
        "member_b": [None],
        "scores": [990],
        "whole": [True],
        "grounds": ["name"],
    }
    try:
        async with database.staying() as session:
            async with session.begin():
                _, seen = await repository.since(session, "exact")
                assert await repository.find_fresh(session, seen=seen)
                for statement in FIND_EXACT:
                    await repository.find(session, statement)
            # A look goes through a country meanwhile, and so does a comparison.
            await merged_by_hand(flow, stays, merged)
            async with session.begin():
                await repository.have_fence(session)
                found = await session.scalar(text("SELECT count(*) FROM found_alike"))
                kept = await repository.keep_exact(session, after=UUID(int=0), most=2, at=now)
                assert (found, kept) == (1, (0, None))
                assert await repository.store_likeness(session, alike, at=now) == 0
    finally:
        await database.dispose()
    assert await suspects(flow) == []


async def test_members_come_along_and_who_lives_in_two_is_shown_by_where_they_are(
    flow: Flow, worker: Worker
) -> None:
    given = twice("010203045")
    await flow.register(given)
    first, second = [await flow.household_id(row.registration_number) for row in given]
    father = Person(name="Sok Dara", sex="male", id_number="010203045")
    son = Person(name="Sok Vuthy", relationship="child", sex="male")
    await store(flow, {UUID(first): (father, son)})
    counted = await to_merge(flow, str(UUID(int=1)), first)
    assert counted.status_code == 404
    await look(worker)
    (suspect,) = await suspects(flow)
    # The members of one are known one by one, of the other counts: the act's own rule.
    refused = await to_merge(flow, suspect["id"], first)
    assert (refused.status_code, "only counts" in refused.text) == (409, True)
    await store(flow, {UUID(second): (father, Person(name="Sok Srey", relationship="child"))})
    await look(worker)
    await flow.approve(await proposed(flow, suspect["id"], first))
    household = await flow.get(f"/households/{first}")
    assert [(member["name"], member["relationship"]) for member in household["listed"]] == [
        ("Sok Dara", "head"),
        ("Sok Vuthy", "child"),
        ("Sok Dara", "other-relative"),
        ("Sok Srey", "child"),
    ]
    await everything_changes(flow)
    await look(worker)
    await compare(flow)
    assert [each["standing"] for each in await suspects(flow)] == ["merged"]


async def ready(flow: Flow, activation_id: UUID) -> list[str]:
    found = await flow.owner.fetch(
        "SELECT household_id::text FROM registry.entitlement "
        "WHERE activation_id = $1 AND status IN ('ready', 'paid')",
        activation_id,
    )
    return [row["household_id"] for row in found]


async def repaired(flow: Flow, worker: Worker, activation_id: UUID) -> int:
    """Have everybody announced again who can be; how that is answered."""
    answer = await flow.client.post(
        f"/activations/{activation_id}/repairs",
        json={"round": 1, "reason": "All who are owed."},
        headers=flow.key(),
    )
    if answer.status_code == 202:
        assert (await flow.decided(answer)).status_code == 200
        await work(worker)
    return answer.status_code


async def test_two_that_became_one_are_paid_once_and_by_the_next_activation_again(
    flow: Flow, worker: Worker
) -> None:
    await flow.post_scheme()
    suspect = await suspected(flow, worker)
    first, second = sides(suspect)
    activation_id = await flow.open(BATTAMBANG, PURSAT)
    await work(worker)
    (paid,) = await ready(flow, activation_id)
    aside = second if paid == first else first
    # The one that was set aside stays, and the other's later rounds are told to end.
    proposal = await proposed(flow, suspect["id"], aside)
    await flow.approve(proposal)
    assert await repaired(flow, worker, activation_id) == 409
    assert await ready(flow, activation_id) == [paid]
    # An activation at the same time finds them taken; once the scheme pays both, it pays them.
    second_activation = await flow.open(BATTAMBANG, PURSAT)
    await work(worker)
    assert await ready(flow, second_activation) == []
    assert await repaired(flow, worker, second_activation) == 409
    await flow.let_activations_pay_both()
    third_activation = await flow.open(BATTAMBANG, PURSAT)
    await work(worker)
    assert await ready(flow, third_activation) == [aside]


async def test_what_was_suspected_of_one_goes_on_of_the_household_that_it_is_part_of(
    flow: Flow, worker: Worker
) -> None:
    await flow.post_scheme()
    third = [
        Row(**{**row.__dict__, "account": "+85511111111", "phone": "+85512777777"})
        for row in rows(2, begin=30)
    ]
    second, alike = with_number(third[0], "010203045"), third[1]
    first = with_number(rows(1, commune="150101")[0], "010203045")
    for row in (second, alike, first):
        await flow.register([row])
    await look(worker)
    a, b, c = [await flow.household_id(row.registration_number) for row in (first, second, alike)]
    by_pair = {frozenset(sides(each)): each["id"] for each in await suspects(flow)}
    ab, bc = by_pair[frozenset((a, b))], by_pair[frozenset((b, c))]
    assert len(by_pair) == 2
    activation_id = await flow.open(BATTAMBANG)
    await work(worker)
    await flow.widen(activation_id, BATTAMBANG, PURSAT)
    await work(worker)
    assert await ready(flow, activation_id) == [b]

    await flow.approve(await proposed(flow, ab, a))
    listed = {frozenset(sides(each)): each for each in await suspects(flow)}
    assert set(listed) == {frozenset((a, b)), frozenset((a, c))}
    ac = listed[frozenset((a, c))]
    assert (ac["standing"], ac["score"], ac["holds"]) == ("undecided", 960, True)
    passed = await flow.get(f"/duplicates/{bc}")
    assert passed["passed_to"] == ac["id"]
    told = await flow.client.put(
        f"/duplicates/{bc}/decision", json={"decision": "keep", "reason": "Both."}
    )
    assert (told.status_code, ac["id"] in told.text) == (409, True)
    undone = await flow.client.put(f"/duplicates/{bc}/undoing", json={"reason": "Both."})
    assert undone.status_code == 409
    # Nobody is paid a second time, until somebody decides of the household that there is now.
    assert await repaired(flow, worker, activation_id) == 409
    await everything_changes(flow)
    await look(worker)
    assert (await flow.get(f"/duplicates/{ac['id']}"))["standing"] == "undecided"
    await decided(flow, ac["id"], "dismiss")
    assert (await flow.get(f"/duplicates/{bc}"))["standing"] == "dismiss"
    assert await repaired(flow, worker, activation_id) == 202
    assert set(await ready(flow, activation_id)) == {b, c}
    # What was dismissed of them does not come back by the persons who moved.
    await everything_changes(flow)
    await look(worker)
    await compare(flow)
    assert await suspects(flow, standing="undecided") == []


async def test_what_was_dismissed_of_one_does_not_come_back_with_its_persons(
    flow: Flow, worker: Worker
) -> None:
    given = [*twice("010203045"), *rows(1, begin=70)]
    alike = Row(**{**given[2].__dict__, "phone": "+85512345678"})
    second = Row(**{**given[1].__dict__, "phone": "+85512345678"})
    await flow.register([given[0], second, alike])
    a, b, c = [
        await flow.household_id(row.registration_number) for row in (given[0], second, alike)
    ]
    twins = [
        Person(name="Chea Sopheap", phone="+85512345678", id_number="010203045"),
        Person(name="Chea Sopheap", phone="+85512345678"),
    ]
    father = Person(name="Chea Sok", sex="male", id_number="010203045")
    await store(flow, {UUID(a): (father,), UUID(b): (twins[0],), UUID(c): (twins[1],)})
    await look(worker)
    by_pair = {frozenset(sides(each)): each["id"] for each in await suspects(flow)}
    await decided(flow, by_pair[frozenset((b, c))], "dismiss")
    await flow.approve(await proposed(flow, by_pair[frozenset((a, b))], a))
    for _ in range(2):
        await everything_changes(flow)
        await look(worker)
        await compare(flow)
        found = {frozenset(sides(each)): each["standing"] for each in await suspects(flow)}
        assert found == {frozenset((a, b)): "merged", frozenset((a, c)): "dismiss"}
    (now,) = await suspects(flow, standing="dismiss")
    sought = now["first" if now["first"]["household_id"] == a else "second"]
    assert sought["person"]["name"] == "Chea Sopheap"


async def test_what_was_decided_of_two_stays_and_another_question_about_them_beside_it(
    flow: Flow, worker: Worker
) -> None:
    given = [*twice("010203045"), with_number(rows(1, begin=70)[0], "010203045")]
    await flow.register(given)
    a, b, c = [await flow.household_id(row.registration_number) for row in given]
    await look(worker)
    by_pair = {frozenset(sides(each)): each["id"] for each in await suspects(flow)}
    ab, ac, bc = [by_pair[frozenset(pair)] for pair in ((a, b), (a, c), (b, c))]
    await decided(flow, ac, "dismiss")
    await flow.approve(await proposed(flow, ab, a))
    assert await standing(flow, ac) == ("dismiss", ["dismiss"])
    # That the one who came is the third as well was never asked of whoever dismissed it.
    beside = await flow.get(f"/duplicates/{bc}")
    assert (beside["standing"], beside["passed_to"], beside["holds"]) == ("undecided", None, True)
    await decided(flow, bc, "dismiss")
    await everything_changes(flow)
    await look(worker)
    assert await suspects(flow, standing="undecided") == []


async def test_many_are_not_merged_at_once(flow: Flow, worker: Worker) -> None:
    await suspected(flow, worker)
    body = {"decision": "merge", "least_score": 900, "reason": "All of them."}
    answer = await flow.client.post("/duplicates/decisions", json=body, headers=flow.key())
    assert (answer.status_code, "/v1/approvals/decisions" in answer.text) == (422, True)


WAIT_FOR_FENCE = """
    SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
"""
WAIT_FOR_TABLE = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND relation = 'registry.duplicate_suspect'::regclass
"""


@pytest.mark.parametrize("merger_first", [True, False])
async def test_a_merger_in_the_midst_of_a_chunk_loses_and_doubles_nobody(
    flow: Flow, worker: Worker, merger_first: bool
) -> None:
    await flow.post_scheme()
    given = twice("010203045")
    await flow.register(given)
    await look(worker)
    (suspect,) = await suspects(flow)
    proposal = await proposed(flow, suspect["id"], sides(suspect)[1])
    activation_id = await flow.open(BATTAMBANG, PURSAT)
    await hear(worker, "registry")
    async with flow.service.client(subject="checker@test") as checker:
        approve = checker.post(f"/approvals/{proposal['id']}/approval", json={"reason": "Yes."})

        async def waits(query: str, count: int) -> None:
            async def seen() -> bool:
                return bool(await flow.owner.fetchval(query) == count)

            await eventually(seen)

        tasks: list[asyncio.Task[Any]] = []
        async with flow.owner.transaction():
            # Whoever comes first is stopped after it wrote, and the other comes meanwhile.
            await flow.owner.execute(
                "LOCK TABLE registry.duplicate_suspect IN ACCESS EXCLUSIVE MODE"
            )
            if merger_first:
                tasks.append(asyncio.create_task(approve))
                await waits(WAIT_FOR_TABLE, 1)
                tasks.append(asyncio.create_task(worker.step("enrol-1")))
            else:
                tasks.append(asyncio.create_task(worker.step("enrol-1")))
                await waits(WAIT_FOR_TABLE, 1)
                tasks.append(asyncio.create_task(approve))
            await waits(WAIT_FOR_FENCE, 1)
        answers = await asyncio.gather(*tasks)
    merged = answers[0 if merger_first else 1]
    assert merged.status_code == 200, merged.text
    await work(worker)
    # Paid once, whichever of the two was enrolled; and as one household from then on.
    assert len(await ready(flow, activation_id)) == 1
    enrolled = await entitlements(flow, activation_id)
    assert len(enrolled) == 1
    assert (await standing(flow, suspect["id"]))[0] == "merged"
    await flow.widen(activation_id, BATTAMBANG, PURSAT)
    await work(worker)
    await repaired(flow, worker, activation_id)
    assert len(await ready(flow, activation_id)) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_mergers_beside_two_workers_lose_and_double_nobody(
    flow: Flow, worker: Worker, seed: int
) -> None:
    """Each family is there twice, in two communes; all are merged while they are enrolled."""
    draws = Random(seed)
    await flow.post_scheme()
    families = 6
    numbers = [f"0102030{at:02d}" for at in range(families)]
    await flow.register(
        [
            with_number(row, numbers[at])
            for commune in ("020101", "150101")
            for at, row in enumerate(rows(families, commune=commune))
        ]
    )
    await look(worker)
    proposals = [
        await proposed(flow, suspect["id"], draws.choice(sides(suspect)))
        for suspect in await suspects(flow)
    ]
    assert len(proposals) == families
    activation_id = await flow.open("0201", ceiling=FAR)
    await hear(worker, "registry")
    await flow.widen(activation_id, "0201", "1501")

    async def approve(at: int) -> int:
        await asyncio.sleep(draws.random() / 5)
        async with flow.service.client(subject="checker@test") as checker:
            path = f"/approvals/{proposals[at]['id']}/approval"
            return (await checker.post(path, json={"reason": "Yes."})).status_code

    async def enrol(number: int) -> None:
        for _ in range(6):
            await worker.step("events")
            await worker.step(f"enrol-{number}")
            await asyncio.sleep(0.02)

    done = await asyncio.gather(enrol(1), enrol(2), *(approve(at) for at in range(families)))
    assert done[2:] == [200] * families
    await work(worker)
    await repaired(flow, worker, activation_id)
    paid = await flow.owner.fetch(
        """
        SELECT count(*) FROM registry.entitlement
        JOIN registry.household ON household.id = entitlement.household_id
        WHERE entitlement.activation_id = $1 AND entitlement.status = 'ready'
        GROUP BY coalesce(household.merged_into, household.id)
        """,
        activation_id,
    )
    assert [row["count"] for row in paid] == [1] * families


async def test_a_merger_and_a_new_edition_come_into_force_one_after_the_other(
    flow: Flow, worker: Worker
) -> None:
    names = await live_in_small_country(flow)
    pair = [with_number(row, "010203045") for row in rows(2, commune="010101")]
    await flow.register(pair)
    await look(worker)
    (suspect,) = await suspects(flow)
    merger = await proposed(flow, suspect["id"], sides(suspect)[0])
    became = {code.replace("010101", "010109"): both for code, both in names.items()}
    changes = [("010101", "010109", "moved")]
    said = await sent(flow, "later", dict(sorted(became.items(), key=by_level)), changes)
    assert not said["faults"], said
    edition = await flow.post(
        "/gazetteer/editions/later/proposal", {"reason": "Sub-decree."}, status=202
    )
    async with flow.service.client(subject="checker@test") as checker:
        answers = await asyncio.gather(
            *(
                checker.post(f"/approvals/{each['id']}/approval", json={"reason": "Yes."})
                for each in (edition, merger)
            )
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses in ([200, 200], [200, 409]), [answer.text for answer in answers]
    if statuses[1] == 409:
        # What they were has changed: it is asked again by what is known now.
        await flow.client.delete(f"/approvals/{merger['id']}")
        await flow.approve(await proposed(flow, suspect["id"], sides(suspect)[0]))
    assert (await standing(flow, suspect["id"]))[0] == "merged"
    stays = await flow.get(f"/households/{sides(suspect)[0]}")
    assert (stays["area_code"], stays["members"]) == ("010109", 8)


def by_level(area: tuple[str, Any]) -> tuple[int, str]:
    return len(area[0]), area[0]
