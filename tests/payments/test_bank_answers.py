"""What a bank answers by files: read once it is whole, recorded once, believed where signed."""

import json
from pathlib import Path

import asyncpg
import pytest

from services.payments.instructions.moves import Move
from services.payments.instructions.states import MAY_HAVE_BEEN_SENT, Status
from services.payments.providers.files import FileAdapter
from shared.ids import new_id
from tests.payments.bank import (
    BANKS_KEY,
    KEY,
    alarms,
    bank_keys,
    environment,
    files,
    folders,
    go_on,
    more_settings,
    public,
    sent,
    settle,
    statuses,
)
from tests.payments.bank_reports import line, report
from tests.payments.conftest import World
from tests.payments.steps import Steps, running_steps

__all__ = ["bank_keys", "environment", "folders", "more_settings"]


async def test_what_cannot_be_read_is_set_aside_and_its_neighbours_go_on(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 2)
    [file] = files(folders)
    whole = report(file.stem, group="ACSC")
    incoming = folders["incoming"]
    (incoming / "0-half.xml").write_bytes(whole[: len(whole) // 2])
    (incoming / "1-nonsense.xml").write_bytes(b"\x00\xff nonsense")
    (incoming / "2-folder").mkdir()
    (incoming / "3-elsewhere").symlink_to("/etc/hostname")
    (incoming / "4-not-ours.xml").write_bytes(report(new_id(), group="ACSC"))
    (incoming / "5-invoice.xml").write_bytes(report("INVOICE 7/2020", group="ACSC"))
    (incoming / ".6-unfinished.xml").write_bytes(b"<")
    (incoming / "7-whole.xml").write_bytes(whole)
    await go_on(steps, owner, times=3)
    assert await statuses(world, lines) == ["settled"] * 2
    # Of what may be half-written nobody says anything yet.
    assert await alarms(world) == {"file_set_aside": 2}
    settle(folders)
    await go_on(steps, owner)
    assert await alarms(world) == {"file_set_aside": 6}
    assert [path.name for path in incoming.iterdir()] == [".6-unfinished.xml"]
    told = [json.loads(path.read_bytes()) for path in folders["state"].glob("aside/*.json")]
    assert {each["name"]: each["reason"] for each in told} == {
        "0-half.xml": "not_well_formed",
        "1-nonsense.xml": "not_well_formed",
        "2-folder": "no_file",
        "3-elsewhere": "no_file",
        "4-not-ours.xml": "message_not_ours",
        "5-invoice.xml": "message_not_ours",
    }
    await go_on(steps, owner, times=3)
    assert await alarms(world) == {"file_set_aside": 6}
    [alarm] = (await world.get("/alarms"))["items"]
    clearance = {"reason": "The bank sent the whole one again."}
    await world.post(f"/alarms/{alarm['number']}/clearance", clearance, status=200)
    assert await alarms(world) == {}


async def test_what_was_half_written_is_read_once_it_is_whole(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 2)
    [file] = files(folders)
    whole = report(file.stem, group="ACSC")
    path = folders["incoming"] / "report.xml"
    for length in (0, 1, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:length])
        await go_on(steps, owner)
    path.write_bytes(whole)
    await go_on(steps, owner, times=2)
    assert await statuses(world, lines) == ["settled"] * 2
    assert await alarms(world) == {}


async def test_the_same_file_twice_changes_nothing(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 3)
    [file] = files(folders)
    said = [line(each, "ACSC", reference=each.hex[-8:]) for each in lines[:2]]
    content = report(file.stem, group="PART", lines=[*said, line(lines[2], "RJCT", reason="AC04")])
    histories = []
    for number in range(3):
        (folders["incoming"] / f"{number}.xml").write_bytes(content)
        await go_on(steps, owner, times=2)
        histories.append([await world.get(f"/instructions/{each}") for each in lines])
    assert histories[0] == histories[1] == histories[2]
    assert await statuses(world, lines) == ["settled", "settled", "rejected"]
    assert await alarms(world) == {}
    assert len(list(folders["state"].glob("taken/*/*.json"))) == 1
    await world.proofs()


async def test_a_line_that_is_not_ours_is_listed_and_the_others_end(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 2)
    [file] = files(folders)
    said = [line(each, "ACSC") for each in (*lines, new_id())] + [line("INVOICE-7", "ACSC")]
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, lines=said))
    await go_on(steps, owner, times=2)
    assert await statuses(world, lines) == ["settled"] * 2
    assert await alarms(world) == {"lines_not_ours": 1}
    await world.proofs()


async def test_what_is_said_after_the_end_is_heard(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    returned, late, calm = await sent(world, steps, owner, 3)
    [file] = files(folders)
    first = [line(returned, "ACSC"), line(late, "RJCT", reason="AC04"), line(calm, "ACSC")]
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, lines=first))
    await go_on(steps, owner, times=2)
    assert await statuses(world, [returned, late, calm]) == ["settled", "rejected", "settled"]
    [batch] = (await world.get("/batches"))["items"]
    assert batch["status"] == "closed"
    then = [line(returned, "RJCT", reason="AC06"), line(late, "ACSC", reference="r-1")]
    (folders["incoming"] / "2.xml").write_bytes(
        report(file.stem, lines=[*then, line(calm, "ACSC")])
    )
    await go_on(steps, owner, times=2)
    assert await statuses(world, [returned, late, calm]) == ["settled", "held", "settled"]
    found = (await world.get("/alarms", status="open"))["items"]
    assert {alarm["instruction_id"]: alarm["kind"] for alarm in found} == {
        str(returned): "contradiction",
        str(late): "late_success",
    }
    await world.proofs()


async def test_whoever_dies_with_a_report_in_hand_leaves_it_to_the_next(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    paid, rejected = await sent(world, steps, owner, 2)
    [file] = files(folders)
    adapter = steps.wiring.adapters["mekong"]
    assert isinstance(adapter, FileAdapter)
    said = [line(paid, "ACSC"), line(rejected, "RJCT", reason="AC04")]
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, lines=said))
    await go_on(steps, owner, times=2)
    # A late word is in nothing but its file until it is recorded.
    then = report(file.stem, number=2, lines=[line(rejected, "ACSC", reference="r-1")])
    (folders["incoming"] / "2.xml").write_bytes(then)
    [news] = await adapter.take_files(limit=10)
    assert [each.our_reference for each in news.results] == [rejected]
    async with running_steps(world.settings) as others:
        await go_on(others, owner)
    assert await statuses(world, [paid, rejected]) == ["settled", "held"]
    assert list(folders["incoming"].iterdir()) == []


async def test_reports_that_come_again_bring_back_what_the_database_lost(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    paid, rejected = await sent(world, steps, owner, 2)
    [file] = files(folders)
    # As after a restore: nobody knows of the batch, and its lines may have been sent.
    lane = steps.wiring.batch_lanes["mekong"]
    async with lane.database.transaction() as session:
        lost = [Move(each, Status.UNKNOWN, reason=MAY_HAVE_BEEN_SENT) for each in (paid, rejected)]
        await lane.moves.make(session, lost, actor="test")
    await owner.execute("UPDATE payments.instruction SET batch_number = NULL")
    await owner.execute("DELETE FROM payments.batch_move")
    await owner.execute("DELETE FROM payments.batch")
    said = [line(paid, "ACSC", reference="r-1"), line(rejected, "RJCT", reason="AC04")]
    for number in range(2):
        (folders["incoming"] / f"{number}.xml").write_bytes(report(file.stem, lines=said))
        await go_on(steps, owner)
    assert await statuses(world, [paid, rejected]) == ["settled", "rejected"]
    assert await alarms(world) == {}
    await world.proofs()


@pytest.mark.parametrize("bank_keys", [[public(KEY), public(BANKS_KEY)]])
async def test_of_a_bank_that_signs_nothing_else_is_believed(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 2)
    [file] = files(folders)
    refused, paid = report(file.stem, group="RJCT"), report(file.stem, group="ACSC")
    incoming = folders["incoming"]
    (incoming / "1.xml").write_bytes(refused)
    (incoming / "2.xml").write_bytes(refused.replace(b"report-1", b"report-2"))
    (incoming / "2.xml.sig").write_bytes(BANKS_KEY.sign(paid))
    (incoming / "3.xml").write_bytes(paid)
    await go_on(steps, owner)
    assert await statuses(world, lines) == ["sending"] * 2
    # Its signature may come after the file.
    (incoming / "3.xml.sig").write_bytes(BANKS_KEY.sign(paid))
    await go_on(steps, owner, times=2)
    assert await statuses(world, lines) == ["settled"] * 2
    settle(folders)
    await go_on(steps, owner, times=2)
    assert await alarms(world) == {"file_set_aside": 2}
    assert list(incoming.iterdir()) == []
    told = [json.loads(path.read_bytes()) for path in folders["state"].glob("aside/*.json")]
    assert sorted((each["name"], each["reason"]) for each in told) == [
        ("1.xml", "not_signed"),
        ("2.xml", "not_signed"),
    ]
