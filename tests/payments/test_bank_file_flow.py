"""Payments by files: a batch is a file, and whatever comes in, each line is paid once or not."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from lxml import etree

from services.payments.batches.claiming import BatchClaims
from services.payments.providers.bankfile.initiation import NAMESPACE
from services.payments.providers.batches import BatchAdapter, BatchAnswerKind, BatchOrder
from services.payments.providers.files import FileAdapter
from shared.ids import new_id
from tests.payments.bank import (
    BANKS_KEY,
    KEY,
    bank_keys,
    environment,
    files,
    folders,
    go_on,
    lines_of,
    more_settings,
    public,
    statuses,
)
from tests.payments.bank_reports import line, report
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps, running_steps
from tests.payments.test_batches import announce
from tests.server import eventually

__all__ = ["bank_keys", "environment", "folders", "more_settings"]


async def test_a_batch_leaves_as_a_file_that_is_signed_and_ends_by_what_comes_in(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    await world.fund(10_000_000)
    lines = await announce(world, steps, 5)
    await go_on(steps, owner)
    [file] = files(folders)
    content = file.read_bytes()
    checksum = file.with_name(f"{file.name}.sha256").read_text()
    assert checksum == f"{hashlib.sha256(content).hexdigest()}  {file.name}\n"
    KEY.public_key().verify(file.with_name(f"{file.name}.sig").read_bytes(), content)
    assert sorted(lines_of(file)) == sorted(lines)
    assert await world.count("sending") == 5

    await go_on(steps, owner, times=3)
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["provider_batch_id"]) == ("unknown", UUID(batch["id"]).hex)

    incoming = folders["incoming"]
    (incoming / "1.xml").write_bytes(report(file.stem, group="ACCP"))
    await go_on(steps, owner)
    assert await world.count("sending") == 5
    said = [line(each, "ACSC", reference=f"r-{each.hex[:8]}") for each in lines[:4]]
    (incoming / "2.xml").write_bytes(report(file.stem, group="PART", lines=said))
    last = line(lines[4], "RJCT", reason="AC04")
    (incoming / "3.xml").write_bytes(report(file.stem, group="PART", lines=[*said, last]))
    await go_on(steps, owner, times=3)
    assert await statuses(world, lines) == ["settled"] * 4 + ["rejected"]
    [batch] = (await world.get("/batches"))["items"]
    assert batch["status"] == "closed"
    assert list(incoming.iterdir()) == []
    assert (await world.get("/alarms"))["items"] == []
    await world.proofs()


async def made(steps: Steps, world: World, count: int) -> tuple[BatchOrder, BatchAdapter]:
    """A batch that is committed, whose worker died before it did anything about it."""
    await world.fund(10_000_000)
    await announce(world, steps, count)
    lane = steps.wiring.batch_lanes["mekong"]
    claims = BatchClaims(clock=lane.moves.clock, waits=lane.moves.waits)
    async with lane.database.transaction() as session:
        batch = await claims.make(
            session,
            provider="mekong",
            provider_number=await lane.provider_number(),
            size=100,
            most_minor=None,
            most_open=4,
            lease_seconds=60,
            actor="test",
        )
    assert batch is not None
    return batch.order, lane.adapter


class Always:
    """Whatever is asked may leave."""

    def refusal(self) -> str | None:
        return None


async def test_a_worker_that_dies_before_the_file_leaves_has_it_left_by_the_next(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    order, _ = await made(steps, world, 3)
    assert files(folders) == []
    await go_on(steps, owner, times=4)
    [file] = files(folders)
    assert file.stem == order.batch_id.hex
    assert sorted(lines_of(file)) == sorted(each.instruction_id for each in order.lines)


async def test_a_file_that_left_twice_is_the_same_to_the_byte(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    order, adapter = await made(steps, world, 3)
    assert (await adapter.send_batch(order, Always())).kind is BatchAnswerKind.PENDING
    [file] = files(folders)
    first = {path.name: path.read_bytes() for path in folders["outgoing"].iterdir()}
    # Whoever sent it died; it lies there still, so nobody sends it again.
    await go_on(steps, owner, times=4)
    assert {path.name: path.read_bytes() for path in folders["outgoing"].iterdir()} == first
    # The bank has fetched it, and the worker died before it could mark that it left.
    for path in [*folders["outgoing"].iterdir(), *folders["state"].glob("sent/*.delivered")]:
        path.unlink()
    await go_on(steps, owner, times=4)
    assert {path.name: path.read_bytes() for path in folders["outgoing"].iterdir()} == first
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, group="RJCT", reason="DU01"))
    (folders["incoming"] / "2.xml").write_bytes(report(file.stem, group="ACSC"))
    await go_on(steps, owner, times=3)
    assert await world.count("settled") == 3
    await world.proofs()


async def test_a_file_that_is_there_with_other_bytes_stays_and_is_an_alarm(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    order, adapter = await made(steps, world, 3)
    theirs = folders["outgoing"] / f"{order.batch_id.hex}.xml"
    theirs.write_bytes(b"somebody else's")
    answer = await adapter.send_batch(order, Always())
    assert (answer.kind, answer.reason) == (BatchAnswerKind.NO_ANSWER, "file_differs")
    await go_on(steps, owner, times=3)
    assert theirs.read_bytes() == b"somebody else's"
    assert await alarms(world) == {"file_differs": 1}
    assert await world.count("sending") == 3


async def alarms(world: World) -> dict[str, int]:
    found = (await world.get("/alarms", status="open"))["items"]
    assert all(alarm["provider"] == "mekong" for alarm in found)
    return {alarm["kind"]: alarm["occurrences"] for alarm in found}


async def sent(world: World, steps: Steps, owner: asyncpg.Connection, count: int) -> list[UUID]:
    await world.fund(10_000_000)
    lines = await announce(world, steps, count)
    await go_on(steps, owner)
    return lines


def settle(folders: dict[str, Path]) -> None:
    """Let what lies there have lain there for long."""
    for path in folders["incoming"].iterdir():
        os.utime(path, (1, 1), follow_symlinks=False)


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


async def test_a_file_that_is_refused_whole_is_sent_in_parts_and_each_line_once(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 6)
    [file] = files(folders)
    (folders["incoming"] / "1.xml").write_bytes(
        report(
            file.stem, group="RJCT", reason="FF01", lines=[line(lines[2], "RJCT", reason="AC01")]
        )
    )
    await go_on(steps, owner, times=3)
    parts = [path for path in files(folders) if path != file]
    assert sorted(each for part in parts for each in lines_of(part)) == sorted(lines)
    for part in parts:
        is_bad = lines_of(part) == [lines[2]]
        group, reason = ("RJCT", "AC01") if is_bad else ("ACSC", None)
        content = report(part.stem, group=group, reason=reason)
        (folders["incoming"] / part.name).write_bytes(content)
    await go_on(steps, owner, times=3)
    assert await statuses(world, lines) == [
        "rejected" if each == lines[2] else "settled" for each in lines
    ]
    await world.proofs()


async def test_without_the_folders_nothing_leaves_and_nothing_is_lost(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    away = folders["outgoing"].with_name("away")
    folders["outgoing"].rename(away)
    lines = await sent(world, steps, owner, 2)
    assert await statuses(world, lines) == ["ready"] * 2
    away.rename(folders["outgoing"])
    await owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    await go_on(steps, owner)
    [file] = files(folders)
    folders["incoming"].rename(away)
    await go_on(steps, owner, times=2)
    away.rename(folders["incoming"])
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, group="ACSC"))
    await go_on(steps, owner, times=2)
    assert await statuses(world, lines) == ["settled"] * 2
    await world.proofs()


async def test_a_bank_that_answers_by_files_cannot_call_back(world: World) -> None:
    answer = await world.client.put("/providers/mekong/callbacks", json={"batchId": "1"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "mekong answers by files, and calls nobody back."


@pytest.mark.parametrize("more_settings", [{"batch_maximum_minor": 200_000, "batch_lines": 100}])
async def test_no_file_is_above_the_banks_most_and_a_payment_that_is_by_itself_is_rejected(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(7, provider="mekong")
    owed.append(replace(owed[0], amount_minor=200_001, entitlement_id=new_id()))
    await world.registry.announce(owed)
    await raised(world, steps)
    await go_on(steps, owner, times=8)
    sums = [
        sum(int(each.text) for each in etree.parse(path).iter(f"{{{NAMESPACE}}}InstdAmt"))
        for path in files(folders)
    ]
    assert sorted(sums) == [96_000, 192_000, 192_000, 192_000]
    alone = await world.instruction_of(owed[-1].entitlement_id)
    assert (alone["status"], alone["reason"]) == ("rejected", "above_batch_maximum")
    await world.proofs()


async def test_an_account_that_no_file_has_room_for_is_rejected_and_its_neighbours_leave(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    await world.fund(10_000_000)
    owed = [
        *entitlements(2, provider="mekong"),
        *entitlements(1, provider="mekong", account="0" * 35),
    ]
    await world.registry.announce(owed)
    await raised(world, steps)
    await go_on(steps, owner, times=2)
    [file] = files(folders)
    assert len(lines_of(file)) == 2
    odd = await world.instruction_of(owed[-1].entitlement_id)
    assert (odd["status"], odd["reason"]) == ("rejected", "account_not_of_standard")
    await world.proofs()


async def raised(world: World, steps: Steps) -> None:
    async def released() -> bool:
        # The log's fence may trail behind what was just written.
        await steps.raise_announced()
        return await world.count("ready") > 0

    await eventually(released)


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


@pytest.mark.parametrize("more_settings", [{"recognises_repeats_seconds": 0}])
async def test_silence_is_never_taken_for_not_known(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    lines = await sent(world, steps, owner, 2)
    [file] = files(folders)
    for path in folders["outgoing"].iterdir():
        path.unlink()
    await go_on(steps, owner, times=6)
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["reason"]) == ("unknown", "no_report_yet")
    assert await statuses(world, lines) == ["sending"] * 2
    (folders["incoming"] / "1.xml").write_bytes(report(file.stem, group="ACSC"))
    await go_on(steps, owner, times=2)
    assert await statuses(world, lines) == ["settled"] * 2


@pytest.mark.parametrize("more_settings", [{"recognises_repeats_seconds": 0}])
async def test_what_may_not_have_left_is_for_two_persons_where_the_bank_knows_no_repeats(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    await made(steps, world, 2)
    await go_on(steps, owner, times=6)
    assert files(folders) == []
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["reason"]) == ("closed", "batch_not_known_to_provider")
    assert await world.count("unknown") == 2


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
