"""New editions of the gazetteer: codes change, households follow, nobody is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.schemes.shipped import shipped_document
from services.registry.worker import create_worker
from tests.hearing import hear
from tests.registry import editions
from tests.registry.editions import (
    changes_csv,
    live_in_small_country,
    put_in_force,
    sent,
    sent_tables,
)
from tests.registry.flow import CSV, Flow, Row, body_of, rows
from tests.server import eventually

SPLIT, NEW_PART = "010101", "010103"
MOVED, MOVED_TO = "010102", "010104"
MERGED, INTO = "010201", "010202"

CHANGES = [
    (SPLIT, SPLIT, "split"),
    (SPLIT, NEW_PART, "split"),
    ("01010102", "01010301", "moved"),
    (MOVED, MOVED_TO, "moved"),
    (MERGED, INTO, "merged"),
    ("01020101", "01020203", "moved"),
    ("01020102", "01020204", "moved"),
]


def next_edition(names: editions.Names) -> editions.Names:
    """A commune split, one moved with its villages, two merged, and a province renamed."""
    now = dict(names)
    now["02"] = ("Province Two", "ខេត្តពីរ")
    now[NEW_PART] = ("New part", "ឃុំថ្មី")
    now["01010301"] = now.pop("01010102")
    for code in (MOVED, f"{MOVED}01", f"{MOVED}02"):
        now[MOVED_TO + code[6:]] = now.pop(code)
    del now[MERGED]
    now["01020203"] = now.pop("01020101")
    now["01020204"] = now.pop("01020102")
    return now


def household(number: int, commune: str, village: str = "") -> Row:
    return Row(
        registration_number=f"KH-{number:06d}",
        commune_code=commune,
        village_code=village,
        account=f"+8551{number:07d}",
    )


HOUSEHOLDS = [
    household(1, SPLIT, "01010101"),
    household(2, SPLIT, "01010102"),
    household(3, SPLIT),
    household(4, MOVED, "01010201"),
    household(5, MOVED),
    household(6, MERGED, "01020101"),
    household(7, INTO),
    household(8, "020101"),
]


async def stands(flow: Flow) -> dict[str, tuple[str, str | None]]:
    """Where each household stands, by the last digit of its number, over HTTP."""
    return {
        household["person"]["registration_number"][-1]: (
            household["area_code"],
            household["village_code"],
        )
        for household in (await flow.get("/households", limit=500))["items"]
    }


def renamed(change: dict[str, Any]) -> bool:
    return bool(change["kind"] == "renamed")


async def test_codes_change_and_households_follow_or_wait_to_be_placed(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    ended = await flow.register(HOUSEHOLDS)
    assert (ended["households_added"], ended["rows_rejected"]) == (len(HOUSEHOLDS), 0)
    before = await stands(flow)

    answer = await sent(flow, "ncdd-2026", next_edition(names), CHANGES)
    found = answer["differences"]
    assert found["changes"] == {"split": 2, "moved": 6, "merged": 1, "renamed": 1}
    assert (found["households_following"], found["households_to_place"]) == (4, 1)
    assert await stands(flow) == before, "a draft changes nothing"
    listed = (await flow.get("/gazetteer/editions/ncdd-2026/changes"))["items"]
    counted = {
        (change["from_code"], change["to_code"]): (
            change["households_following"],
            change["households_to_place"],
        )
        for change in listed
        if len(change["from_code"]) == 6
    }
    assert counted == {
        (SPLIT, SPLIT): (0, 1),
        (SPLIT, NEW_PART): (1, 1),
        (MOVED, MOVED_TO): (2, 0),
        (MERGED, INTO): (1, 0),
    }

    done = await put_in_force(flow, "ncdd-2026", next_edition(names), CHANGES)
    assert (done["status"], done["number"]) == ("in_force", 2)
    assert await stands(flow) == {
        "1": (SPLIT, "01010101"),
        "2": (NEW_PART, "01010301"),
        "3": (SPLIT, None),
        "4": (MOVED_TO, "01010401"),
        "5": (MOVED_TO, None),
        "6": (INTO, "01020203"),
        "7": (INTO, None),
        "8": ("020101", None),
    }
    assert (await flow.get("/gazetteer/editions/ncdd-2026/changes"))["items"] == listed
    now = next_edition(names)
    old, new = names.keys() - now.keys(), now.keys() - names.keys()
    assert await flow.events("gazetteer-changed") == [
        {
            "edition": "ncdd-2026",
            "number": 2,
            "ended_count": len(old),
            "begun_count": len(new),
            "moved_count": len({each["from_code"] for each in listed if not renamed(each)}),
            "ended": [MOVED, MERGED],
            "begun": [NEW_PART, MOVED_TO],
            "moved": {SPLIT: [SPLIT, NEW_PART], MOVED: [MOVED_TO], MERGED: [INTO]},
            "areas": ["0101", "0102"],
        }
    ]

    (waiting,) = (await flow.get("/gazetteer/waiting", area="0101"))["items"]
    assert (waiting["area_code"], waiting["choices"]) == (SPLIT, [SPLIT, NEW_PART])
    assert (await flow.get("/gazetteer/waiting", area="02"))["items"] == []

    async def place(code: str) -> Any:
        placement = {"household_id": waiting["household_id"], "code": code}
        body = {"placements": [placement], "reason": "Asked."}
        return (await flow.post("/gazetteer/placements", body, status=200))["placements"][0]

    for wrong in (MOVED_TO, "020101", "01010302"):
        assert not (await place(wrong))["placed"]
    assert (await place("01010301"))["placed"]
    assert not (await place("01010301"))["placed"], "it does not wait any more"
    assert (await stands(flow))["3"] == (NEW_PART, "01010301")
    assert (await flow.get("/gazetteer/waiting"))["items"] == []

    again = await flow.client.put("/gazetteer", json={"edition": "ncdd-2022"})
    assert again.status_code == 409
    assert "ncdd-2026" in again.json()["detail"]


async def test_an_old_code_says_what_became_of_it(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    await put_in_force(flow, "ncdd-2026", next_edition(names), CHANGES)
    old = await flow.get(f"/areas/{MOVED}")
    assert old["ended_at"] is not None
    assert (old["edition"], old["successors"]) == ("ncdd-2022", [MOVED_TO])
    (change,) = old["history"]
    assert (change["kind"], change["edition"]) == ("moved", "ncdd-2026")
    assert change["to_code"] == MOVED_TO
    assert change["since"] == old["ended_at"]
    split = await flow.get(f"/areas/{SPLIT}")
    assert (split["ended_at"], split["edition"]) == (None, "ncdd-2026")
    assert split["successors"] == [SPLIT, NEW_PART]
    assert {change["to_code"] for change in split["history"]} == {SPLIT, NEW_PART}
    renamed = await flow.get("/areas/02")
    assert (renamed["name_en"], renamed["successors"]) == ("Province Two", [])
    assert renamed["history"][0]["name_en"] == "Province 02"
    listed = await flow.get("/areas", parent="0101")
    assert [area["code"] for area in listed["items"]] == [SPLIT, NEW_PART, MOVED_TO]
    assert [area["code"] for area in (await flow.get("/areas", codes=MOVED))["items"]] == [MOVED]

    # A file by the old codes is read by those of now, where they lead to one place.
    ended = await flow.register(
        [household(1, MOVED, f"{MOVED}01"), household(2, MERGED), household(3, SPLIT, "01010102")]
    )
    assert (ended["households_added"], ended["rows_rejected"]) == (2, 1)
    assert await stands(flow) == {"1": (MOVED_TO, "01010401"), "2": (INTO, None)}


WRONG: dict[str, tuple[Callable[[editions.Names], Any], list[tuple[str, str, str]]]] = {
    "parent-missing": (lambda names: names.update({"0109": ("x", "x"), "990101": ("x", "x")}), []),
    "no-successor": (lambda names: names.pop("01010101"), []),
    "prefix": (
        lambda names: names.update({"01010201": names.pop("01010201")}),
        [("01010101", "01010201", "merged")],
    ),
    "from-unknown": (lambda names: None, [("010109", "010101", "merged")]),
    "to-unknown": (lambda names: None, [("010101", "010109", "moved")]),
    "level": (lambda names: None, [("010101", "0101", "moved")]),
    "repeated": (lambda names: None, [("010101", "010102", "split")] * 2),
    "kinds": (
        lambda names: None,
        [("010101", "010102", "split"), ("010101", "010101", "merged")],
    ),
    "split-alone": (lambda names: None, [("010101", "010102", "split")]),
    "several": (
        lambda names: None,
        [("010101", "010102", "merged"), ("010101", "010201", "merged")],
    ),
    "renamed-code": (lambda names: None, [("010101", "010102", "renamed")]),
    "moved-nowhere": (lambda names: None, [("010101", "010101", "moved")]),
    "moved-together": (lambda names: None, [("010101", "010102", "moved")]),
    "merged-alone": (
        lambda names: names.update({"010109": ("x", "x")}),
        [("010101", "010109", "merged")],
    ),
    "left-behind": (
        lambda names: names.update({"010109": ("x", "x")}),
        [("010101", "010109", "moved")],
    ),
    "residence-missing": (lambda names: names.update({"010109": ("x", "x")}), []),
    "still-waited-in": (
        lambda names: names.update({"010108": ("x", "x"), "010109": ("x", "x")}),
        [
            ("010101", "010108", "split"),
            ("010101", "010109", "split"),
            ("010102", "010101", "moved"),
        ],
    ),
}


async def test_what_is_wrong_with_an_edition_is_told_line_by_line(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    await flow.register(HOUSEHOLDS)
    for code, (alter, changes) in WRONG.items():
        wrong = dict(names)
        alter(wrong)
        answer = await sent(flow, "ncdd-2026", wrong, changes)
        assert code in {fault["code"] for fault in answer["faults"]}, (code, answer)
        proposal = await flow.client.post(
            "/gazetteer/editions/ncdd-2026/proposal", json={"reason": "x"}, headers=flow.key()
        )
        assert proposal.status_code == 409, code
    good = editions.areas_csv(names)
    for areas, changes_table in (
        ("", changes_csv([])),
        ("a,b\n1,2\n", changes_csv([])),
        (good.replace("commune,010101", "commune,10101"), changes_csv([])),
        (good.replace("commune,010101", "village,010101"), changes_csv([])),
        (good + "commune,010101,x,x\n", changes_csv([])),
        (good + 'commune,010109,"x\n', changes_csv([])),
        (good + "commune,010109,x\n", changes_csv([])),
        (good + f"commune,010109,{'x' * 201},x\n", changes_csv([])),
        (good + "commune,010109,a\u202eb,x\n", changes_csv([])),
        (good, "from_code,to_code,kind\n010101,010102,gone\n"),
        (good, "from_code,to_code\n010101,010102\n"),
        (good, "from_code,to_code,kind\n１１,010102,split\n"),
    ):
        said = await sent_tables(flow, "ncdd-2026", areas, changes_table)
        assert said["status"] == 422, (areas[-80:], changes_table)
        assert said["faults"]
    path = "/gazetteer/editions/ncdd-2026/areas"
    for content in (b"\xff\xfe", b"level,code\0"):
        assert (await flow.client.put(path, content=content, headers=CSV)).status_code == 422
    assert (await flow.client.put(path, content=good)).status_code == 422
    assert (
        await flow.client.put("/gazetteer/editions/x1/areas", content=good, headers=CSV)
    ).status_code == 404
    large = await flow.client.put(path, content=b"x" * (13 * 2**20), headers=CSV)
    assert large.status_code == 413
    assert await editions.living(flow) == names
    listed = (await flow.get("/gazetteer/editions"))["items"]
    assert [(each["code"], each["status"]) for each in listed] == [
        ("ncdd-2022", "in_force"),
        ("ncdd-2026", "draft"),
    ]


async def test_an_edition_takes_two_persons_who_saw_the_same(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    await flow.register(HOUSEHOLDS)
    assert not (await sent(flow, "ncdd-2026", next_edition(names), CHANGES))["faults"]
    path = "/gazetteer/editions/ncdd-2026/proposal"
    async with flow.service.client(subject="other@test") as other:
        proposal = await other.post(path, json={"reason": "Why."}, headers=flow.key())
    assert proposal.status_code == 202, proposal.text
    assert proposal.json()["households"] == 5
    # Whoever sent the draft is in the evidence of it, though another proposed it.
    for person in ("other@test", "officer@test"):
        assert (await flow.decided(proposal, by=person)).status_code == 409
    assert not (await sent(flow, "ncdd-2026", names, []))["faults"]
    replaced = await flow.decided(proposal)
    assert replaced.status_code == 409
    assert "replaced" in replaced.json()["detail"]
    assert (await flow.client.post(path, json={"reason": "Why."})).status_code == 400
    async with flow.service.client("areas:read") as reader:
        body = {"code": "ncdd-2027"}
        answer = await reader.post("/gazetteer/editions", json=body, headers=flow.key())
        assert answer.status_code == 403
        assert (await reader.get("/gazetteer/waiting")).status_code == 403
    assert await editions.living(flow) == names


async def test_an_activation_for_an_old_code_reaches_those_who_followed(
    working: Flow,
) -> None:
    names = await live_in_small_country(working)
    await working.register(HOUSEHOLDS)
    before = await working.open("0102")
    await working.worked(before)
    await put_in_force(working, "ncdd-2026", next_edition(names), CHANGES)

    async def enrolled(*areas: str) -> Counter[str]:
        activation_id = await working.open(*areas)
        await working.worked(activation_id)
        rows_of = await working.owner.fetch(
            "SELECT area_code FROM registry.enrolment WHERE activation_id = $1", activation_id
        )
        return Counter(row["area_code"] for row in rows_of)

    assert await enrolled(MOVED) == {MOVED_TO: 2}
    assert await enrolled(MERGED) == {INTO: 2}
    assert await enrolled(SPLIT) == {SPLIT: 2, NEW_PART: 1}
    assert await enrolled("0101") == {SPLIT: 2, NEW_PART: 1, MOVED_TO: 2}
    assert await enrolled("KH") == {SPLIT: 2, NEW_PART: 1, MOVED_TO: 2, INTO: 2, "020101": 1}

    # What was enrolled under old codes stays as it was, and is not enrolled again.
    await working.widen(before, "0101")
    await working.worked(before, runs=2)
    counted = await working.owner.fetch(
        "SELECT area_code, count(*) FROM registry.enrolment WHERE activation_id = $1 "
        "GROUP BY area_code",
        before,
    )
    assert dict(counted) == {MERGED: 1, INTO: 1, SPLIT: 2, NEW_PART: 1, MOVED_TO: 2}


async def test_who_came_into_a_commune_that_was_reached_is_enrolled_when_it_widens(
    working: Flow,
) -> None:
    names = await live_in_small_country(working)
    await working.register(HOUSEHOLDS)
    activation_id = await working.open(INTO)
    await working.worked(activation_id)
    await put_in_force(working, "ncdd-2026", next_edition(names), CHANGES)
    for area, runs in ((MERGED, 2), ("0102", 2), ("KH", 3)):
        await working.widen(activation_id, area)
        await eventually(partial(_reaches, working, activation_id, area))
        await working.worked(activation_id, runs=runs)
    counted = await working.owner.fetchval(
        "SELECT count(*) FROM registry.enrolment WHERE activation_id = $1", activation_id
    )
    assert counted == len(HOUSEHOLDS)


async def _reaches(flow: Flow, activation_id: Any, area: str) -> bool:
    found: bool = await flow.owner.fetchval(
        "SELECT $2 = ANY(areas) FROM registry.activation WHERE id = $1", activation_id, area
    )
    return found


async def test_a_province_of_the_real_gazetteer_takes_along_what_lies_in_it(flow: Flow) -> None:
    names = await editions.living(flow)
    assert len(names) == 25 + 210 + 1_652 + 14_578
    given = rows(3, commune="250101")
    await flow.register(given)
    now = {f"26{code[2:]}" if code.startswith("25") else code: both for code, both in names.items()}
    done = await put_in_force(flow, "ncdd-2026", now, [("25", "26", "moved")])
    of_province = sum(code.startswith("25") for code in names)
    assert done["differences"]["changes"] == {"moved": of_province}
    assert done["differences"]["ended"] == of_province
    assert done["differences"]["households_following"] == len(given)
    (told,) = await flow.events("gazetteer-changed")
    assert told["ended_count"] == told["begun_count"] == told["moved_count"] == of_province
    above_villages = sorted(code for code in names if code.startswith("25") and len(code) < 8)
    assert told["ended"] == above_villages
    assert told["moved"] == {code: [f"26{code[2:]}"] for code in above_villages}
    assert "household" not in str(told)
    assert {place for place, _ in (await stands(flow)).values()} == {"260101"}
    assert await editions.living(flow) == dict(sorted(now.items()))
    old, new = [await flow.get(f"/areas/{code}") for code in ("250101", "260101")]
    assert old["successors"] == ["260101"]
    for known in ("residence", "idpoor1_households", "flood_hazard_index", "name_km"):
        assert new[known] == old[known]
    found = await flow.get("/areas", name=old["name_km"], level="commune", limit=500)
    codes = {area["code"] for area in found["items"]}
    assert "260101" in codes, "names are those of the edition in force"
    assert codes <= now.keys()
    country = await flow.get("/areas/KH")
    assert country["idpoor1_households"] + country["idpoor2_households"] == 678_440
    answer = await flow.client.put("/gazetteer", json={"edition": "ncdd-2022"})
    assert answer.status_code == 409


async def _proposed(flow: Flow, names: editions.Names) -> httpx.Response:
    assert not (await sent(flow, "ncdd-2026", next_edition(names), CHANGES))["faults"]
    return await flow.client.post(
        "/gazetteer/editions/ncdd-2026/proposal", json={"reason": "x"}, headers=flow.key()
    )


async def _enrolled_once(flow: Flow, activation_id: Any) -> int:
    """How many households are enrolled, each once and with one entitlement."""
    enrolled = await flow.owner.fetchrow(
        "SELECT count(*) AS rows, count(DISTINCT household_id) AS households "
        "FROM registry.enrolment WHERE activation_id = $1",
        activation_id,
    )
    entitled = await flow.owner.fetchval(
        "SELECT count(*) FROM registry.entitlement WHERE activation_id = $1", activation_id
    )
    assert enrolled["rows"] == enrolled["households"] == entitled
    return int(entitled)


MANY = [
    *(each for code in (SPLIT, MOVED, MERGED, INTO) for each in rows(60, commune=code)),
    *rows(20, commune=SPLIT, begin=100, village_code="01010102"),
]


@pytest.mark.parametrize("worked", [0, 1, 2, 3])
async def test_an_edition_between_the_chunks_of_an_enrolment_loses_and_doubles_nobody(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, worked: int
) -> None:
    """Four chunks by the old codes; so many of them are worked before the codes change."""
    monkeypatch.setenv("REGISTRY_HOUSEHOLDS_PER_CHUNK", "40")
    names = await live_in_small_country(flow)
    await flow.post_scheme()
    await flow.register(MANY)
    proposal = await _proposed(flow, names)
    worker = create_worker()
    try:
        activation_id = await flow.open("01")
        await hear(worker, "registry")
        for _ in range(worked):
            assert await worker.step("enrol-1")
        decided = await flow.decided(proposal)
        assert decided.status_code == 200, decided.text
        while await worker.step("enrol-1"):
            pass
    finally:
        await worker.close()
    assert len(await flow.chunks(activation_id)) == 4
    assert await _enrolled_once(flow, activation_id) == len(MANY)
    assert (await flow.worked(activation_id))["runs"]


async def test_an_edition_beside_two_workers_loses_and_doubles_nobody(
    flow: Flow, run_worker: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_HOUSEHOLDS_PER_CHUNK", "40")
    names = await live_in_small_country(flow)
    await flow.post_scheme()
    await flow.register(MANY)
    proposal = await _proposed(flow, names)
    async with run_worker("registry"), run_worker("registry"):
        first = await flow.open("01")
        decided, second = await asyncio.gather(flow.decided(proposal), flow.open("0101", "0102"))
        assert decided.status_code == 200, decided.text
        third = await flow.open("01")
        for activation_id in (first, second, third):
            await flow.worked(activation_id)
            assert await _enrolled_once(flow, activation_id) == len(MANY)


async def test_what_arrives_while_an_edition_comes_into_force_is_planned_by_its_codes(
    flow: Flow,
) -> None:
    """The edition has led what was planned to its codes, and is held before it ends: what is
    planned meanwhile has to wait for it."""
    names = await live_in_small_country(flow)
    await flow.post_scheme()
    await flow.register(HOUSEHOLDS)
    proposal = await _proposed(flow, names)
    worker = create_worker()
    try:
        activation_id = await flow.open("01")
        async with flow.owner.transaction():
            await flow.owner.execute("LOCK TABLE events.event IN SHARE MODE")
            deciding = asyncio.create_task(flow.decided(proposal))
            await eventually(partial(_waits, flow, "relation"))
            planning = asyncio.create_task(hear(worker, "registry"))

            async def has_come_as_far_as_it_can() -> bool:
                return planning.done() or await _waits(flow, "advisory")

            await eventually(has_come_as_far_as_it_can)
        assert (await deciding).status_code == 200
        await planning
        while await worker.step("enrol-1"):
            pass
    finally:
        await worker.close()
    planned = {code for chunk in await flow.chunks(activation_id) for code in chunk["area_codes"]}
    assert planned.isdisjoint({MOVED, MERGED})
    assert await _enrolled_once(flow, activation_id) == len(HOUSEHOLDS) - 1


async def _waits(flow: Flow, kind: str) -> bool:
    return bool(
        await flow.owner.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = $1 AND NOT granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())",
            kind,
        )
    )


async def test_a_placement_between_chunks_loses_nobody(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commune where it is placed was worked before, the one where it waited was not."""
    monkeypatch.setenv("REGISTRY_HOUSEHOLDS_PER_CHUNK", "1")
    names = await live_in_small_country(flow)
    await flow.post_scheme()
    await flow.register(HOUSEHOLDS)
    now = next_edition(names)
    ended_by = [("010101", "010108", "split"), ("010101", NEW_PART, "split"), *CHANGES[2:]]
    now["010108"] = now.pop(SPLIT)
    now["01010801"] = now.pop("01010101")
    await put_in_force(flow, "ncdd-2026", now, [*ended_by, ("01010101", "01010801", "moved")])
    worker = create_worker()
    try:
        activation_id = await flow.open("0101")
        await hear(worker, "registry")
        chunks = await flow.chunks(activation_id)
        of_waiting = next(chunk for chunk in chunks if SPLIT in chunk["area_codes"])
        await flow.owner.execute(
            "UPDATE registry.entitlement_chunk SET attempt_after = now() + interval '1 hour' "
            "WHERE id = $1",
            UUID(of_waiting["id"]),
        )
        while await worker.step("enrol-1"):
            pass
        (waiting,) = (await flow.get("/gazetteer/waiting"))["items"]
        placement = {"household_id": waiting["household_id"], "code": NEW_PART}
        body = {"placements": [placement], "reason": "Asked."}
        (placed,) = (await flow.post("/gazetteer/placements", body, status=200))["placements"]
        assert placed["placed"], placed
        await flow.owner.execute("UPDATE registry.entitlement_chunk SET attempt_after = NULL")
        while await worker.step("enrol-1"):
            pass
    finally:
        await worker.close()
    assert await _enrolled_once(flow, activation_id) == 5


async def test_an_import_that_an_edition_overtakes_is_told_to_begin_again(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    await flow.register(HOUSEHOLDS)
    made = await flow.post("/imports", {"source": "test"})
    begun, changed = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"\xef\xbb\xbf"
        begun.set()
        await changed.wait()
        yield body_of([*HOUSEHOLDS, household(9, MOVED)]).encode()

    sending = asyncio.create_task(
        flow.client.put(f"/imports/{made['id']}/rows", content=body(), headers=CSV)
    )
    await begun.wait()
    await eventually(lambda: _receiving(flow, made["id"]))
    await put_in_force(flow, "ncdd-2026", next_edition(names), CHANGES)
    changed.set()
    answer = await sending
    assert answer.status_code == 409, answer.text
    assert "again" in answer.json()["detail"]
    assert len(await stands(flow)) == len(HOUSEHOLDS)
    again = await flow.send(made["id"], body_of([household(9, MOVED)]))
    assert again["households_added"] == 1
    assert (await stands(flow))["9"] == (MOVED_TO, None)


async def _receiving(flow: Flow, import_id: str) -> bool:
    return bool((await flow.get(f"/imports/{import_id}"))["status"] == "receiving")


async def test_an_old_code_is_checked_and_counted_for_triggers(flow: Flow) -> None:
    names = await live_in_small_country(flow)
    await flow.post_scheme()
    await flow.register(HOUSEHOLDS)
    await put_in_force(flow, "ncdd-2026", next_edition(names), CHANGES)
    asked = {
        "areas": [MOVED, MERGED, "0101", "019999"],
        "area_filter": "residence = 'rural'",
        "scheme": "flood-2022",
    }
    answer = await flow.client.post("/checks/activations", json=asked)
    assert answer.status_code == 200, answer.text
    checked = answer.json()
    assert checked["areas_unknown"] == ["019999"]
    assert checked["households"] == 7
    assert {reach["area"]: reach["reached"] for reach in checked["reach"]} == {
        MOVED: 1,
        MERGED: 1,
        "0101": 3,
    }


async def test_a_household_has_a_village_of_its_commune_and_rules_may_ask_for_it(
    working: Flow,
) -> None:
    given = [
        household(1, "020101", "02010101"),
        household(2, "020101", "02010102"),
        household(3, "020101", "02010201"),
        household(4, "020101", "02010199"),
        household(5, "020101", "x"),
        household(6, "020101"),
    ]
    ended = await working.register(given)
    assert (ended["households_added"], ended["rows_rejected"]) == (3, 3)
    listed = await working.get(f"/imports/{ended['id']}/rejections")
    faults = {(each["column"], each["code"]) for each in listed["items"]}
    assert faults == {("village_code", "unknown")}
    again = await working.register(given)
    assert again["households_unchanged"] == 3
    # A file from before there were villages says nothing of them, and takes none away.
    lines = body_of(replace(row, members=5) for row in given[:2]).splitlines()
    older = "".join(f"{line.rpartition(',')[0]}\n" for line in lines)
    changed = await working.register_body(older)
    assert changed["households_changed"] == 2
    assert {number: village for number, (_, village) in (await stands(working)).items()} == {
        "1": "02010101",
        "2": "02010102",
        "6": None,
    }
    wrong = shipped_document("flood-2022") | {
        "code": "one-village",
        "eligibility": "village_code = '2010101'",
    }
    refused = await working.client.post("/schemes", json=wrong, headers=working.key())
    assert refused.status_code == 422
    await working.post("/schemes", wrong | {"eligibility": "village_code = '02010101'"})
    activation_id = await working.open("0201", scheme="one-village")
    await working.worked(activation_id)
    assert await _enrolled_once(working, activation_id) == 1
