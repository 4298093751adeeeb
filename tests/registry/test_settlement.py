"""How entitlements end: as payments says, whenever it says so, and said again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.events import ChunkRefused
from shared.ids import new_id
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.paying import PAID_AT, Announced, Payments
from tests.server import eventually


async def test_outcomes_are_fetched_and_end_the_entitlements(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, 'paid,""', "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)
    entitlement = await announced.flow.get(f"/entitlements/{announced.entitlements[1]}")
    assert (entitlement["status"], entitlement["reason"]) == ("failed", "accountNotFound")
    paid = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
    assert (paid["status"], paid["reason"]) == ("paid", None)
    assert paid["finished_at"] == "2026-01-05T06:00:00Z"
    why = await announced.flow.get(
        f"/activations/{announced.activation_id}/households/{paid['household_id']}/decision"
    )
    assert "Round 1: It was paid. Round 2" in why["words"]["en"]
    assert "ជុំទី១៖ បានទូទាត់រួចហើយ។ ជុំទី២៖" in why["words"]["km"]
    activation = await announced.flow.get(f"/activations/{announced.activation_id}")
    progress = activation["progress"]
    assert (progress["paid_minor"], progress["failed_minor"]) == (320_000, 160_000)
    assert (progress["waiting_count"], progress["first_paid_at"]) == (0, "2026-01-05T06:00:00Z")
    summary = await announced.flow.get(f"/activations/{announced.activation_id}/summary")
    assert summary["reasons"] == {"accountNotFound": 1}
    assert summary["provinces"][0]["paid_count"] == 2
    (first, *_) = await announced.flow.get(f"/activations/{announced.activation_id}/rounds")
    assert first["status"] == "finished"


async def test_a_chunk_settled_again_takes_the_correction(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled")
    await announced.settle(payments, "failed,returned", "paid,", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)

    async def corrected() -> bool:
        owed = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
        return (owed["status"], owed["reason"]) == ("failed", "returned")

    await eventually(corrected)
    other = await announced.flow.get(f"/entitlements/{announced.entitlements[1]}")
    assert (other["status"], other["reason"]) == ("paid", None)


async def test_a_settlement_told_twice_is_applied_as_once(
    announced: Announced, payments: Payments
) -> None:
    for _ in range(2):
        await announced.settle(payments, "paid,", "paid,", "paid,")
    await announced.reaches(status="settled", paid_count=3)
    assert 1 <= payments.fetched <= 2


async def test_payments_that_does_not_answer_is_asked_again(
    announced: Announced, payments: Payments
) -> None:
    payments.status = 503
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def put_off() -> bool:
        return bool((await announced.chunk())["attempts"])

    await eventually(put_off)
    chunk = await announced.chunk()
    assert chunk["status"] == "settling"
    assert "HTTPStatusError" in chunk["last_error"]
    payments.status = 200
    await announced.reaches(status="settled", paid_count=3, attempts=0)


@pytest.mark.parametrize("spoil", ["too-long", "no-csv", "one-twice", "unknown-outcome"])
async def test_outcomes_that_cannot_be_used_change_nothing(
    announced: Announced, payments: Payments, spoil: str
) -> None:
    good = f"{announced.entitlements[0]},paid,,{PAID_AT}\n"
    twice = good * 2 + f"{announced.entitlements[1]},paid,,{PAID_AT}\n"
    bodies = {
        "too-long": good * 200,
        "no-csv": "<html>",
        "one-twice": twice,
        "unknown-outcome": good.replace("paid", "perhaps"),
    }
    await announced.settle(payments, "paid,", "paid,", "paid,")
    payments.outcomes[announced.chunk_id] = bodies[spoil]

    await announced.reaches(attempts=1)
    chunk = await announced.chunk()
    assert (chunk["status"], chunk["paid_count"]) == ("settling", 0)


async def test_outcomes_of_another_chunk_end_nothing(
    announced: Announced, payments: Payments
) -> None:
    announced.entitlements = [str(new_id()) for _ in range(3)]
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def put_off() -> bool:
        return bool((await announced.chunk())["attempts"])

    await eventually(put_off)
    assert (await announced.chunk())["paid_count"] == 0


async def test_a_refused_chunk_and_its_entitlements_say_so(
    announced: Announced, payments: Payments
) -> None:
    await announced.flow.from_payments(
        ChunkRefused(
            chunk_id=UUID(announced.chunk_id),
            activation_id=announced.activation_id,
            reason="count differs",
        )
    )
    await announced.reaches(status="refused", refusal="count differs")
    entitlement = await announced.flow.get(f"/entitlements/{announced.entitlements[0]}")
    assert (entitlement["status"], entitlement["reason"]) == ("refused", "count differs")
    activation = await announced.flow.get(f"/activations/{announced.activation_id}")
    assert activation["progress"]["refused_count"] == 3
    assert activation["progress"]["waiting_count"] == 0


async def test_payments_speaking_of_an_unknown_chunk_is_parked(
    announced: Announced, payments: Payments, run_worker: Callable[[str], Any]
) -> None:
    announced.chunk_id = str(new_id())
    await announced.settle(payments, "paid,", "paid,", "paid,")

    async def parked() -> bool:
        return bool((await announced.flow.get("/dead-letters"))["items"])

    await eventually(parked)
    (letter,) = (await announced.flow.get("/dead-letters"))["items"]
    assert letter["error"].startswith(f"Payments says that chunk {announced.chunk_id} is settled,")
    assert letter["error"].endswith("replay this event.")


async def test_what_payments_sets_aside_is_unpayable_with_its_reason(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "unpayable,unknown-provider", "paid,")
    await announced.reaches(status="settled", paid_count=2, unpayable_count=1, payable_count=2)
    owed = await announced.entitlement(1)
    assert (owed["status"], owed["reason"]) == ("unpayable", "unknown-provider")
    progress = (await announced.flow.get(f"/activations/{announced.activation_id}"))["progress"]
    assert (progress["households_enrolled"], progress["waiting_count"]) == (3, 0)
    assert progress["unpayable_minor"] == owed["amount_minor"]
    (round_1, *_) = await announced.flow.get(f"/activations/{announced.activation_id}/rounds")
    assert (round_1["status"], round_1["unpayable_count"]) == ("finished", 1)
    # What was announced is what was announced, whatever came of it.
    chunk = await announced.chunk()
    assert chunk["announced_count"] == 3
    assert len(await announced.flow.chunk_rows(announced.chunk_id)) == 3


async def test_outcomes_of_some_are_applied_while_the_chunk_waits_for_the_others(
    announced: Announced, payments: Payments
) -> None:
    await announced.progress(payments, "paid,", "failed,accountNotFound", "")
    await announced.reaches(status="announced", paid_count=1, failed_count=1)
    assert (await announced.entitlement(0))["status"] == "paid"
    assert (await announced.entitlement(2))["status"] == "ready"
    activation = await announced.flow.get(f"/activations/{announced.activation_id}")
    assert activation["progress"]["waiting_count"] == 1
    chunk = await announced.chunk()
    assert (chunk["attempts"], chunk["last_error"]) == (0, None)

    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)


async def test_a_settled_chunk_of_which_something_is_tried_again_waits_again(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "failed,accountNotFound", "paid,")
    await announced.reaches(status="settled")
    await announced.progress(payments, "paid,", "", "failed,returned")
    await announced.reaches(status="announced", paid_count=1, failed_count=2)
    await announced.settle(payments, "paid,", "paid,", "failed,returned")
    await announced.reaches(status="settled", paid_count=2, failed_count=1)


async def test_what_a_settled_chunk_leaves_out_is_seen_and_asked_for_again(
    announced: Announced, payments: Payments
) -> None:
    await announced.settle(payments, "paid,", "", "failed,accountNotFound")
    await announced.reaches(status="settling", paid_count=1, failed_count=1)
    chunk = await announced.chunk()
    assert chunk["last_error"].startswith(
        "Payments says that every payment of this chunk has its end, and tells none of 1 of"
    )
    assert chunk["attempts"] >= 1
    payments.outcomes[announced.chunk_id] += f"{announced.entitlements[1]},paid,,{PAID_AT}\n"
    await announced.reaches(status="settled", paid_count=2, attempts=0, last_error=None)


@pytest.mark.parametrize("told", ["settled", "progressed", "refused"])
async def test_what_payments_says_of_a_chunk_that_is_planned_anew_needs_nobody(
    flow: Flow, payments: Payments, run_worker: Callable[[str], Any], told: str
) -> None:
    await flow.post_scheme()
    await flow.register(rows(3))
    async with run_worker("registry"):
        activation_id = await flow.open(BATTAMBANG)
        await flow.worked(activation_id)
    (chunk,) = await flow.chunks(activation_id)
    announced = await Announced.of(flow, activation_id, chunk["id"])
    # As if the registry had lost what it made of the activation, and worked it anew just now.
    await flow.owner.execute(
        "DELETE FROM registry.entitlement; DELETE FROM registry.enrolment;"
        "UPDATE registry.entitlement_chunk SET status = 'planned', attempt_after = 'infinity';"
        "UPDATE registry.enrolment_run SET chunks_done = 0, completed_at = NULL"
    )
    async with run_worker("registry"):
        if told == "settled":
            await announced.settle(payments, "paid,", "paid,", "paid,")
        elif told == "progressed":
            await announced.progress(payments, "paid,", "", "")
        else:
            await announced.refuse()
        other = await flow.open("15")
        await flow.worked(other)
        assert (await flow.get("/dead-letters"))["items"] == []
        assert (await announced.chunk())["status"] == "planned"
        await flow.owner.execute("UPDATE registry.entitlement_chunk SET attempt_after = NULL")
        # Announced again, payments tells it again.
        await announced.reaches(status="announced")
        await announced.settle(payments, "paid,", "paid,", "paid,")
        await announced.reaches(status="settled", paid_count=3)


async def test_a_chunk_that_cannot_be_written_says_so_and_the_others_go_on(
    announced: Announced, payments: Payments
) -> None:
    flow = announced.flow
    await flow.register(rows(2, commune="150101"))
    activation_id = await flow.open("15")
    await flow.worked(activation_id)
    (chunk,) = await flow.chunks(activation_id)
    other = await Announced.of(flow, activation_id, chunk["id"])
    await flow.owner.execute(
        "ALTER TABLE registry.entitlement ADD CONSTRAINT spoilt "
        f"CHECK (id <> '{announced.entitlements[1]}' OR status <> 'paid')"
    )
    await announced.settle(payments, "paid,", "paid,", "paid,")
    await other.settle(payments, "paid,", "paid,")
    await other.reaches(status="settled", paid_count=2)

    async def put_off() -> bool:
        return bool((await announced.chunk())["attempts"])

    await eventually(put_off)
    assert "IntegrityError" in (await announced.chunk())["last_error"]
    await flow.owner.execute("ALTER TABLE registry.entitlement DROP CONSTRAINT spoilt")
    await announced.reaches(status="settled", paid_count=3)
