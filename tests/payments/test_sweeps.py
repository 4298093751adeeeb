"""What has its end here is compared with the provider's book, and the proofs say how far."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.payments.alarms.tables import AlarmKind
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.sweeps.comparing import Comparison, Ended, compare
from services.payments.sweeps.tables import Finding
from shared.ids import new_id
from tests.payments.conftest import Sandbox, StartSandbox, World, entitlements
from tests.payments.steps import NOT_KNOWN, PENDING, REJECTED, SILENCE, Steps, paid
from tests.server import eventually

ALL = {"statuses": ["settled", "rejected"]}


class Always:
    """Sending is permitted."""

    def refusal(self) -> str | None:
        return None


async def claimed(world: World, steps: Steps, count: int, **common: Any) -> list[Any]:
    await world.registry.announce(entitlements(count, **{"provider": "mekong", **common}))
    await steps.raise_announced()
    return await steps.claim()


async def really_sent(steps: Steps, sandbox: Sandbox, orders: list[Any]) -> None:
    """Have the provider book these, whatever we record of them."""
    for order in orders:
        await steps.wiring.lanes["mekong"].adapter.send(order, Always())
    ids = {str(order.instruction_id) for order in orders}

    async def booked() -> bool:
        return ids <= sandbox.book().keys()

    await eventually(booked)


async def swept(world: World, steps: Steps, **body: Any) -> Any:
    """A sweep, carried out."""
    begun = await world.post("/sweeps", {**ALL, **body})

    async def finished() -> bool:
        for code in ("mekong", "tonle"):
            await steps.step(f"sweep-{code}")
        return (await world.get(f"/sweeps/{begun['id']}"))["finished_at"] is not None

    await eventually(finished)
    return await world.get(f"/sweeps/{begun['id']}")


async def differing(world: World, sweep: Any) -> dict[str, str]:
    page = await world.get(f"/sweeps/{sweep['id']}/items", finding="differs")
    return {item["instruction_id"]: item["detail"] for item in page["items"]}


def counts(sweep: Any) -> tuple[int, int, int, int]:
    return (
        sweep["count"],
        sweep["agreeing_count"],
        sweep["differing_count"],
        sweep["unanswered_count"],
    )


async def test_a_sweep_over_payments_that_agree_finds_nothing(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox(missing_account_share=0.4)
    await world.fund(10_000_000)
    before = await world.get("/proofs")
    assert "our own records" in before["reach"]["statement"]
    assert before["reach"]["last_sweep"] is None
    async with world.working():
        announced = await world.registry.announce(entitlements(20))
        await world.until_chunk(announced, "settled")
    rejected = await world.count("rejected")
    assert 0 < rejected < 20
    sweep = await swept(world, steps)
    assert counts(sweep) == (20, 20, 0, 0)
    assert (await world.get("/alarms"))["items"] == []
    reach = (await world.get("/proofs"))["reach"]
    assert reach["last_sweep"]["id"] == sweep["id"]
    assert (reach["last_sweep"]["share"], reach["last_sweep"]["agreeing_count"]) == (1.0, 20)

    sample = await swept(world, steps, sample=5, statuses=["settled"], provider="tonle")
    assert sample["count"] == min(5, sample["asked_count"]) > 0
    reach = (await world.get("/proofs"))["reach"]
    assert reach["last_sweep"]["share"] == sample["asked_count"] / 20
    await world.proofs()


async def test_each_difference_to_the_providers_book_is_found(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(10_000_000)
    orders = await claimed(world, steps, 5)
    agreeing, never_booked, booked, other_amount, other_reference = (
        order.instruction_id for order in orders
    )
    await really_sent(
        steps, sandbox, [order for order in orders if order.instruction_id != never_booked]
    )
    book = sandbox.book()
    lane = steps.wiring.lanes["mekong"]
    await steps.hear([(agreeing, await lane.adapter.inquire(agreeing, None))])
    await steps.hear([(never_booked, paid(never_booked)), (booked, REJECTED)])
    await steps.hear([(other_amount, SILENCE), (other_reference, paid(other_reference))])
    await world.resolve(other_amount, "settled", paid_minor=90_000)
    await steps.step("resolve")
    await world.proofs()

    sweep = await swept(world, steps)
    assert counts(sweep) == (5, 1, 4, 0)
    found = await differing(world, sweep)
    assert "never booked it" in found[str(never_booked)]
    assert "late success" in found[str(booked)]
    assert found[str(other_amount)].startswith("We recorded 90000 KHR; the provider says 96000")
    assert "another transaction reference" in found[str(other_reference)]
    alarms = (await world.get("/alarms", status="open"))["items"]
    assert {(alarm["instruction_id"], alarm["kind"]) for alarm in alarms} == {
        (str(never_booked), "settled_not_booked"),
        (str(booked), "late_success"),
        (str(other_amount), "different_payment"),
        (str(other_reference), "different_payment"),
    }
    # Only the late success moved, as it would by any other answer; our book is told, not changed.
    assert [
        (await world.get(f"/instructions/{each}"))["status"]
        for each in (never_booked, booked, other_amount, other_reference)
    ] == ["settled", "held", "settled", "settled"]
    assert sandbox.book() == book
    await world.proofs()

    # What was never booked is recorded as returned, by two persons, and its alarm ends.
    await world.resolve(never_booked, "returned")
    while await steps.step("resolve"):
        pass
    await steps.step("watch")
    open_alarms = (await world.get("/alarms", status="open", kind="settled_not_booked"))["items"]
    assert open_alarms == []
    await world.proofs()


async def test_a_provider_that_does_not_answer_is_told_as_such(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    await world.fund(10_000_000)
    [order] = await claimed(world, steps, 1)
    await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    sweep = await swept(world, steps)
    assert counts(sweep) == (1, 0, 0, 1)
    assert (await world.get("/alarms"))["items"] == []


async def test_a_sweep_waits_for_everything_else(
    world: World, steps: Steps, start_sandbox: StartSandbox, owner: Any
) -> None:
    start_sandbox()
    await world.fund(10_000_000)
    first, second = await claimed(world, steps, 2)
    await steps.hear([(first.instruction_id, paid(first.instruction_id))])
    sweep = await world.post("/sweeps", ALL)
    # The other one is about to be sent.
    assert await steps.step("sweep-mekong") == 0
    await steps.hear([(second.instruction_id, SILENCE)])
    await owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    assert await steps.step("sweep-mekong") == 0
    assert (await world.get(f"/sweeps/{sweep['id']}"))["asked_count"] == 0
    await owner.execute("UPDATE payments.instruction SET next_action_at = now() + interval '1 h'")
    assert await steps.step("sweep-mekong") == 1


async def test_the_worker_carries_a_sweep_out(world: World, start_sandbox: StartSandbox) -> None:
    start_sandbox()
    await world.fund(10_000_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(6))
        await world.until_chunk(announced, "settled")
        begun = await world.post("/sweeps", {**ALL, "activation_id": str(announced.activation_id)})

        async def finished() -> bool:
            return (await world.get(f"/sweeps/{begun['id']}"))["finished_at"] is not None

        await eventually(finished)
    assert counts(await world.get(f"/sweeps/{begun['id']}")) == (6, 6, 0, 0)
    assert begun["id"] in [sweep["id"] for sweep in (await world.get("/sweeps"))["items"]]


async def test_what_cannot_be_asked_is_refused(world: World) -> None:
    assert "nothing can be asked" in (await world.post("/sweeps", ALL, status=409))["detail"]
    await world.post("/sweeps", {"statuses": []}, status=422)
    await world.post("/sweeps", {"statuses": ["unknown"]}, status=422)
    answer = await world.client.get(f"/sweeps/{new_id()}")
    assert answer.status_code == 404


SETTLED = Ended(
    instruction_id=UUID(int=1),
    status=Status.SETTLED,
    paid_minor=96_000,
    currency="KHR",
    transaction_reference="reference",
    server_correlation_id=None,
)
BOOKED = paid(UUID(int=1), reference="reference")


@pytest.mark.parametrize(
    ("answer", "when_settled", "when_rejected", "alarm"),
    [
        (BOOKED, Finding.AGREES, Finding.DIFFERS, None),
        (replace(BOOKED, amount_minor=1), Finding.DIFFERS, Finding.DIFFERS, None),
        (replace(BOOKED, currency="USD"), Finding.DIFFERS, Finding.DIFFERS, None),
        (replace(BOOKED, our_reference=UUID(int=2)), Finding.DIFFERS, Finding.DIFFERS, None),
        (replace(BOOKED, transaction_reference="b"), Finding.DIFFERS, Finding.DIFFERS, None),
        (replace(BOOKED, transaction_reference=None), Finding.AGREES, Finding.DIFFERS, None),
        (REJECTED, Finding.DIFFERS, Finding.AGREES, None),
        (NOT_KNOWN, Finding.DIFFERS, Finding.AGREES, AlarmKind.SETTLED_NOT_BOOKED),
        (PENDING, Finding.DIFFERS, Finding.DIFFERS, AlarmKind.SETTLED_NOT_BOOKED),
        (SILENCE, Finding.UNANSWERED, Finding.UNANSWERED, None),
        (Answer(AnswerKind.UNSENDABLE), Finding.UNANSWERED, Finding.UNANSWERED, None),
    ],
)
def test_what_a_providers_word_means_for_an_end(
    answer: Answer, when_settled: Finding, when_rejected: Finding, alarm: AlarmKind | None
) -> None:
    settled: Comparison = compare(SETTLED, answer)
    assert (settled.finding, settled.alarm) == (when_settled, alarm)
    rejected = compare(replace(SETTLED, status=Status.REJECTED), answer)
    assert rejected.finding is when_rejected
    # Whatever differs reaches a person: by an alarm of the sweep, or by those of the answer.
    for comparison in (settled, rejected):
        assert (comparison.finding is Finding.DIFFERS) == bool(
            comparison.alarm or comparison.is_news
        )


async def test_two_workers_ask_about_a_payment_once(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    await world.fund(10_000_000)
    orders = await claimed(world, steps, 8)
    for order in orders:
        await steps.hear([(order.instruction_id, paid(order.instruction_id))])
    await world.post("/sweeps", ALL)
    done = await asyncio.gather(steps.step("sweep-mekong"), steps.step("sweep-mekong"))
    assert sum(done) in (8, 9)
