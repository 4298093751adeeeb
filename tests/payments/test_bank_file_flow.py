"""Payments by files: a batch is a file, and whatever comes in, each line is paid once or not."""

import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from lxml import etree

from services.payments.providers.bankfile.initiation import NAMESPACE
from services.payments.providers.batches import BatchAnswerKind
from shared.ids import new_id
from tests.payments.bank import (
    KEY,
    Always,
    alarms,
    bank_keys,
    environment,
    files,
    folders,
    go_on,
    lines_of,
    made,
    more_settings,
    sent,
    statuses,
)
from tests.payments.bank_reports import line, report
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps
from tests.payments.test_batches import announce

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
    assert answer.json()["detail"] == ("mekong calls nobody back: whoever does is somebody else.")


@pytest.mark.parametrize(
    "more_settings",
    # Room for every file at once: which of the payments comes last is a matter of chance.
    [{"batch_maximum_minor": 200_000, "batch_lines": 100, "batches_at_once": 8}],
)
async def test_no_file_is_above_the_banks_most_and_a_payment_that_is_by_itself_is_rejected(
    world: World, steps: Steps, owner: asyncpg.Connection, folders: dict[str, Path]
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(7, provider="mekong")
    owed.append(replace(owed[0], amount_minor=200_001, entitlement_id=new_id()))
    await world.registry.announce(owed)
    await steps.raise_announced()
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
    await steps.raise_announced()
    await go_on(steps, owner, times=2)
    [file] = files(folders)
    assert len(lines_of(file)) == 2
    odd = await world.instruction_of(owed[-1].entitlement_id)
    assert (odd["status"], odd["reason"]) == ("rejected", "account_not_of_standard")
    await world.proofs()


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
