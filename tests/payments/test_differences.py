"""What a statement and our books do not agree on is listed, given to a person, and ended by two."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.payments.alarms.repository import NewAlarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from shared.clock import set_clock
from tests.conftest import NOON
from tests.payments.conftest import World
from tests.payments.statement_files import (
    TREASURER,
    Line,
    lines_of,
    mapped,
    open_differences,
    ordered,
    send,
    written,
)
from tests.payments.steps import REJECTED, SILENCE, Steps, paid

FUNDED = Line(None, 5_000_000, "test", "deposit")


@pytest.fixture
async def ready(world: World) -> World:
    await world.fund(10_000_000)
    await mapped(world)
    return world


async def settled(world: World, steps: Steps, count: int) -> list[Line]:
    """Payments that our books have as paid, and their lines."""
    orders = await ordered(world, steps, count)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    return lines_of(orders)


async def kinds(world: World) -> list[str]:
    return [found["kind"] for found in await open_differences(world)]


async def account(owner: asyncpg.Connection, code: str) -> int:
    found = await owner.fetchval(
        "SELECT debits_minor - credits_minor FROM payments.account "
        "WHERE code::text = $1 AND scope = 'mekong'",
        code,
    )
    return int(found)


async def propose(world: World, number: int, outcome: str, *, status: int = 202) -> Any:
    return await world.post(
        f"/differences/{number}/resolution",
        {"outcome": outcome, "reason": "By the provider's letter."},
        status=status,
    )


async def test_each_kind_of_difference_is_listed_with_both_amounts(
    ready: World, steps: Steps
) -> None:
    right, half, missing, other_reference = await settled(ready, steps, 4)
    late, rejected = lines_of(await ordered(ready, steps, 2))
    assert rejected.payment_id is not None
    await steps.hear([(rejected.payment_id, REJECTED)])
    lines = [
        FUNDED,
        right,
        replace(half, amount_minor=48_000),
        replace(other_reference, reference="MK-OTHER"),
        replace(late, amount_minor=95_000),
        rejected,
        Line(None, 5_000, "MK-FEE", "charge"),
        right,
        replace(right, reference="MK-AGAIN"),
        Line(None, 7_000, "MK-GIFT", "deposit"),
        replace(right, kind="reversal"),
    ]
    await send(ready, written(lines))
    found = {
        (each["kind"], each["line"]): (each["statement_minor"], each["ledger_minor"])
        for each in await open_differences(ready)
    }
    float_differs = found.pop(("float_differs", None))
    assert float_differs[0] == 5_000_000 - sum(-line.net_minor for line in lines[1:])
    assert found == {
        ("other_amount", 4): (48_000, 96_000),
        ("other_reference", 5): (96_000, 96_000),
        ("other_amount", 6): (95_000, 96_000),
        ("not_paid_here", 7): (96_000, 96_000),
        ("unknown_payment", 8): (5_000, None),
        ("line_repeated", 9): (96_000, 96_000),
        ("paid_again", 10): (96_000, 96_000),
        ("unknown_receipt", 11): (7_000, None),
        ("returned_there", 12): (96_000, 96_000),
        ("not_on_statement", None): (None, 96_000),
    }
    [gone] = [each for each in await open_differences(ready) if each["kind"] == "not_on_statement"]
    assert gone["instruction_id"] == str(missing.payment_id)
    await ready.proofs()


async def test_a_line_with_the_right_amount_settles_a_payment_that_nobody_knew_of(
    ready: World, steps: Steps
) -> None:
    right, wrong = lines_of(await ordered(ready, steps, 2))
    for line in (right, wrong):
        assert line.payment_id is not None
        await steps.hear([(line.payment_id, SILENCE)])
    await send(ready, written([FUNDED, right, replace(wrong, amount_minor=48_000)]))
    assert sorted(await kinds(ready)) == ["awaiting_answer", "float_differs", "other_amount"]
    assert await ready.count("unknown") == 2
    await steps.step("follow-statements")
    assert (await ready.get(f"/instructions/{right.payment_id}"))["status"] == "settled"
    # Another amount settles nothing: it is listed.
    assert (await ready.get(f"/instructions/{wrong.payment_id}"))["status"] == "unknown"
    assert sorted(await kinds(ready)) == ["float_differs", "other_amount"]
    moved = (await ready.get(f"/instructions/{right.payment_id}"))["moves"][-1]
    assert moved["actor"] == "statement"

    # Two persons record what was paid, and the difference ends by itself.
    await ready.resolve(wrong.payment_id, "settled", paid_minor=48_000)
    while await steps.step("resolve"):
        pass
    await steps.step("follow-statements")
    assert await kinds(ready) == ["float_differs"]
    await ready.proofs()


async def test_what_was_rejected_and_is_paid_on_the_statement_is_a_late_success(
    ready: World, steps: Steps
) -> None:
    [line] = lines_of(await ordered(ready, steps, 1))
    assert line.payment_id is not None
    await steps.hear([(line.payment_id, REJECTED)])
    await send(ready, written([FUNDED, line]))
    await steps.step("follow-statements")
    assert (await ready.get(f"/instructions/{line.payment_id}"))["status"] == "held"
    [alarm] = (await ready.get("/alarms", status="open"))["items"]
    assert alarm["kind"] == "late_success"
    assert "not_paid_here" in await kinds(ready)
    await ready.resolve(line.payment_id, "settled")
    while await steps.step("resolve"):
        pass
    await steps.step("follow-statements")
    assert "not_paid_here" not in await kinds(ready)
    await ready.proofs()


async def test_what_went_out_and_came_back_on_one_statement_was_not_paid(
    ready: World, steps: Steps
) -> None:
    [line] = lines_of(await ordered(ready, steps, 1))
    assert line.payment_id is not None
    await steps.hear([(line.payment_id, REJECTED)])
    await send(ready, written([FUNDED, line, replace(line, kind="reversal")]))
    assert await kinds(ready) == []


async def test_money_that_is_gone_is_in_suspense_until_two_persons_say_what_it_was(
    ready: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [right] = await settled(ready, steps, 1)
    before = await account(owner, "PROVIDER_FLOAT")
    lines = [FUNDED, right, Line(None, 5_000, "MK-FEE", "charge"), Line(None, 700, "MK-ODD")]
    await send(ready, written(lines))
    fee, odd = (each for each in await open_differences(ready) if each["kind"] == "unknown_payment")
    assert (fee["suspense_minor"], odd["suspense_minor"]) == (5_000, 700)
    assert await account(owner, "SUSPENSE") == 5_700
    assert await account(owner, "PROVIDER_FLOAT") == before - 5_700
    await ready.proofs()

    assigned = await ready.client.put(
        f"/differences/{fee['number']}/assignment", json={"assigned_to": TREASURER}
    )
    assert assigned.status_code == 200
    assert assigned.json()["assigned_to"] == TREASURER
    mine = await open_differences(ready, assigned_to=TREASURER)
    assert [each["number"] for each in mine] == [fee["number"]]

    refused = await propose(ready, fee["number"], "accepted", status=409)
    assert "released or charged" in refused["detail"]
    proposal = await propose(ready, fee["number"], "charged")
    assert "5,000 KHR" in proposal["what"]
    alone = await ready.client.post(
        f"/approvals/{proposal['id']}/approval", json={"reason": "I did it myself."}
    )
    assert alone.status_code in (403, 409)
    async with ready.service.client(subject=TREASURER) as sender:
        by_sender = await sender.post(
            f"/approvals/{proposal['id']}/approval", json={"reason": "I sent the statement."}
        )
    assert by_sender.status_code == 409
    assert await account(owner, "SUSPENSE") == 5_700
    decided = await ready.approve(proposal["id"])
    assert decided["outcome"] == f"/v1/differences/{fee['number']}"
    ended = await ready.get(f"/differences/{fee['number']}")
    assert (ended["closure"], ended["suspense_minor"]) == ("resolved", 0)
    assert ended["closed_reason"] == "By the provider's letter."
    assert await account(owner, "SUSPENSE") == 700
    assert await account(owner, "PROVIDER_CHARGES") == 5_000

    await ready.approve((await propose(ready, odd["number"], "released"))["id"])
    assert await account(owner, "SUSPENSE") == 0
    assert await account(owner, "PROVIDER_FLOAT") == before - 5_000
    again = await propose(ready, odd["number"], "released", status=409)
    assert "has its end already" in again["detail"]
    await ready.proofs()


async def test_money_that_came_in_counts_only_once_two_persons_say_so(
    ready: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    before = await account(owner, "PROVIDER_FLOAT")
    gifts = [Line(None, 700, "MK-GIFT", "deposit"), Line(None, 900, "June", "deposit")]
    await send(ready, written([FUNDED, *gifts]))
    assert await account(owner, "PROVIDER_FLOAT") == before
    gift, june = (
        each for each in await open_differences(ready) if each["kind"] == "unknown_receipt"
    )
    await ready.approve((await propose(ready, gift["number"], "received"))["id"])
    assert await account(owner, "PROVIDER_FLOAT") == before + 700
    assert await account(owner, "PROVIDER_CHARGES") == -700
    # A prefunding that was recorded late ends the other by itself.
    body = {"amount_minor": 900, "reference": "June"}
    await ready.post("/funds/relief/deposits", body)
    await ready.post("/providers/mekong/prefundings", body)
    await steps.step("follow-statements")
    assert (await ready.get(f"/differences/{june['number']}"))["closure"] == "explained"
    await ready.proofs()


async def test_what_the_float_does_not_cover_is_suspended_once_it_does(
    ready: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    lines = [FUNDED, Line(None, 5_000_001, "MK-TOO-MUCH")]
    await send(ready, written(lines))
    [found] = [each for each in await open_differences(ready) if each["line"] == 3]
    assert found["suspense_minor"] == 0
    await steps.step("follow-statements")
    assert await account(owner, "SUSPENSE") == 0
    refused = await propose(ready, found["number"], "charged")
    assert "does not cover" in (await ready.approve(refused["id"], status=409))["detail"]
    await ready.post("/funds/relief/deposits", {"amount_minor": 10, "reference": "more"})
    await ready.post("/providers/mekong/prefundings", {"amount_minor": 10, "reference": "more"})
    await steps.step("follow-statements")
    assert await account(owner, "SUSPENSE") == 5_000_001
    await ready.proofs()


async def test_an_alarm_that_the_statement_proves_wrong_is_cleared_by_it(
    ready: World, steps: Steps
) -> None:
    proven, other = await settled(ready, steps, 2)
    async with steps.wiring.database.transaction() as session:
        alarms = [
            NewAlarm(line.payment_id, kind, "Not booked there.")
            for line in (proven, other)
            for kind in (AlarmKind.SETTLED_NOT_BOOKED, AlarmKind.DIFFERENT_PAYMENT)
            if line.payment_id is not None
        ]
        await raise_alarms(session, alarms, at=NOON)
    taken = await send(ready, written([FUNDED, proven, replace(other, amount_minor=1)]))
    closed = (await ready.get("/alarms", status="cleared"))["items"]
    assert [(each["instruction_id"], each["kind"]) for each in closed] == [
        (str(proven.payment_id), "settled_not_booked")
    ]
    assert closed[0]["cleared_by"] == f"statement {taken['id']}"


async def test_a_corrected_statement_takes_the_place_of_the_earlier_and_keeps_what_was_decided(
    ready: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [right] = await settled(ready, steps, 1)
    before = await account(owner, "PROVIDER_FLOAT")
    fee, odd = Line(None, 5_000, "MK-FEE", "charge"), Line(None, 700, "MK-ODD")
    content = written([FUNDED, right, fee, odd])
    first = await send(ready, content)
    known = {each["reference"]: each for each in await open_differences(ready)}
    await ready.client.put(
        f"/differences/{known['MK-ODD']['number']}/assignment", json={"assigned_to": TREASURER}
    )
    charged = await propose(ready, known["MK-FEE"]["number"], "charged")
    await ready.approve(charged["id"])
    waiting = await propose(ready, known["MK-ODD"]["number"], "charged")

    other = Line(None, 80, "MK-NEW")
    second = await send(ready, written([FUNDED, right, odd, other, fee]))
    shown = await ready.get(f"/statements/{first['id']}")
    assert (shown["superseded_by"], shown["open_count"]) == (second["id"], 0)
    assert second["superseded_by"] is None
    found = {
        each["reference"]: each for each in await open_differences(ready, kind="unknown_payment")
    }
    # What two persons decided stays decided, and is booked once.
    assert set(found) == {"MK-ODD", "MK-NEW"}
    assert found["MK-ODD"]["assigned_to"] == TREASURER
    assert found["MK-ODD"]["found_at"] == known["MK-ODD"]["found_at"]
    assert await account(owner, "PROVIDER_CHARGES") == 5_000
    assert await account(owner, "SUSPENSE") == 780
    assert await account(owner, "PROVIDER_FLOAT") == before - 5_780
    assert "has its end already" in (await ready.approve(waiting["id"], status=409))["detail"]
    await ready.proofs()

    # The earlier file once more is known, and changes nothing.
    assert (await send(ready, content))["id"] == first["id"]
    assert (await ready.get(f"/statements/{second['id']}"))["superseded_by"] is None
    third = await send(ready, written([FUNDED, right, fee]))
    assert await account(owner, "SUSPENSE") == 0
    assert await account(owner, "PROVIDER_FLOAT") == before - 5_000
    resolved = await ready.get("/differences", statement_id=third["id"], status="closed")
    assert [each["reference"] for each in resolved["items"]] == ["MK-FEE"]
    await ready.proofs()


async def test_a_file_that_is_another_providers_is_refused_and_takes_no_place(
    ready: World, steps: Steps
) -> None:
    await mapped(ready, "tonle")
    content = written([FUNDED, *await settled(ready, steps, 1)])
    taken = await send(ready, content)
    refused = await send(ready, content, provider="tonle", status=409)
    assert f"is that of mekong for {taken['day']}" in refused["detail"]
    assert await kinds(ready) == []
    # Of days on which nothing moved the files may well be the same.
    await send(ready, written([]), day="2026-01-04")
    await send(ready, written([]), day="2026-01-04", provider="tonle")


async def test_what_stands_on_the_statement_of_another_day_is_explained_by_it(
    ready: World, steps: Steps, clock_file: Path
) -> None:
    today, tomorrow, again = await settled(ready, steps, 3)
    opening = 5_000_000 - today.amount_minor
    first = await send(ready, written([FUNDED, today]))
    missing = await open_differences(ready, kind="not_on_statement")
    assert {each["instruction_id"] for each in missing} == {
        str(tomorrow.payment_id),
        str(again.payment_id),
    }
    set_clock(clock_file, NOON + timedelta(days=1))
    late = [replace(line, at=NOON + timedelta(days=1)) for line in (tomorrow, today)]
    more = [
        replace(late[1], reference="MK-2"),
        replace(late[1], reference="MK-3", kind="reversal", amount_minor=5),
    ]
    content = written([*late, *more], opening_minor=opening)
    await send(ready, content, day="2026-01-06")
    missing = await open_differences(ready, kind="not_on_statement")
    assert [each["instruction_id"] for each in missing] == [str(again.payment_id)]
    found = {each["line"]: each["kind"] for each in await open_differences(ready, day="2026-01-06")}
    assert found == {
        3: "line_repeated",
        4: "paid_again",
        5: "other_amount",
        None: "float_differs",
    }

    # Without what explained it, it is open again.
    await send(ready, written([], opening_minor=opening), day="2026-01-06")
    missing = await open_differences(ready, statement_id=first["id"], kind="not_on_statement")
    assert len(missing) == 2
    await ready.proofs()


async def prefund(world: World, reference: str, amount_minor: int = 900) -> str:
    """Record what the treasury paid to the provider; the id of its proposal."""
    body = {"amount_minor": amount_minor, "reference": reference}
    await world.post("/funds/relief/deposits", body)
    proposal = await world.propose("/providers/mekong/prefundings", body)
    await world.approve(proposal["id"])
    return str(proposal["id"])


async def of_treasury(world: World) -> list[str]:
    """What is open of money that came in: balances are another matter."""
    told = {"unknown_receipt", "prefunding_not_on_statement"}
    return [kind for kind in await kinds(world) if kind in told]


TOMORROW = NOON + timedelta(days=1)


def until_tomorrow(world: World) -> None:
    assert world.settings.clock_file is not None
    set_clock(world.settings.clock_file, TOMORROW)


async def send_tomorrows(world: World, *lines: Line) -> None:
    """Send the statement of the day after."""
    told = [replace(line, at=TOMORROW) for line in lines]
    await send(world, written(told), day=TOMORROW.date().isoformat())


async def take_back(world: World, approval_id: str) -> None:
    await world.post("/reversals", {"approval_id": approval_id, "reason": "Typed twice."})


async def test_each_receipt_is_explained_by_a_prefunding_of_its_own(
    ready: World, steps: Steps
) -> None:
    await send(ready, written([FUNDED, *[Line(None, 900, "June", "deposit")] * 2]))
    assert await of_treasury(ready) == ["unknown_receipt"] * 2
    await prefund(ready, "June")
    for _ in range(3):
        await steps.step("follow-statements")
    assert await of_treasury(ready) == ["unknown_receipt"]
    await prefund(ready, "June")
    await steps.step("follow-statements")
    assert await of_treasury(ready) == []
    # A third that is recorded by mistake explains nothing, and is missed on no statement yet.
    await prefund(ready, "June")
    await steps.step("follow-statements")
    assert await of_treasury(ready) == []


async def test_a_line_ends_one_prefunding_that_was_missed_and_not_all_that_are_alike(
    ready: World, steps: Steps
) -> None:
    for _ in range(3):
        await prefund(ready, "June")
    await send(ready, written([FUNDED]))
    assert await of_treasury(ready) == ["prefunding_not_on_statement"] * 3
    until_tomorrow(ready)
    await send_tomorrows(ready, Line(None, 900, "June", "deposit"))
    assert await of_treasury(ready) == ["prefunding_not_on_statement"] * 2


async def test_what_a_prefunding_explained_is_open_again_once_it_is_taken_back(
    ready: World, steps: Steps
) -> None:
    wrong = await prefund(ready, "June")
    # One was there when the statement came, and the other is recorded later.
    await send(ready, written([FUNDED, *[Line(None, 900, "June", "deposit")] * 2]))
    assert await of_treasury(ready) == ["unknown_receipt"]
    other = await prefund(ready, "June")
    await steps.step("follow-statements")
    assert await of_treasury(ready) == []
    for approval_id, left in ((wrong, 1), (other, 2)):
        await take_back(ready, approval_id)
        for _ in range(2):
            await steps.step("follow-statements")
        assert await of_treasury(ready) == ["unknown_receipt"] * left
    lines = [found["line"] for found in await open_differences(ready, kind="unknown_receipt")]
    assert len(set(lines)) == 2
    # The right one, recorded now, explains one of them.
    await prefund(ready, "June")
    for _ in range(2):
        await steps.step("follow-statements")
    assert await of_treasury(ready) == ["unknown_receipt"]
    await ready.proofs()


async def test_nobody_misses_a_prefunding_that_was_taken_back(ready: World, steps: Steps) -> None:
    wrong = await prefund(ready, "June")
    standing = await prefund(ready, "June")
    await send(ready, written([FUNDED]))
    assert await of_treasury(ready) == ["prefunding_not_on_statement"] * 2
    await take_back(ready, wrong)
    await steps.step("follow-statements")
    assert await of_treasury(ready) == ["prefunding_not_on_statement"]
    # Nor on a corrected statement, nor where it was taken back before.
    await send(ready, written([FUNDED]) + "\n")
    assert await of_treasury(ready) == ["prefunding_not_on_statement"]
    await take_back(ready, standing)
    await steps.step("follow-statements")
    assert await of_treasury(ready) == []
    await send(ready, written([FUNDED]) + "\n\n")
    assert await of_treasury(ready) == []


async def test_a_prefunding_that_two_persons_accepted_as_missing_hides_no_other(
    ready: World, steps: Steps
) -> None:
    await prefund(ready, "June")
    await send(ready, written([FUNDED]))
    [missing] = await open_differences(ready, kind="prefunding_not_on_statement")
    await ready.approve((await propose(ready, missing["number"], "accepted"))["id"])
    until_tomorrow(ready)
    await prefund(ready, "June")
    await send_tomorrows(ready, Line(None, 900, "June", "deposit"))
    assert await of_treasury(ready) == []
    missed = await ready.get("/differences", kind="prefunding_not_on_statement")
    assert [found["number"] for found in missed["items"]] == [missing["number"]]
