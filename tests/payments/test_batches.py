"""Payments in batches: whatever goes wrong with a batch, each line is paid once or not at all."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payments.batches.states import BatchStatus
from services.payments.providers.batches import BatchAnswer, BatchAnswerKind
from shared.contracts.events import ActivationCancelled
from tests.hearing import hear
from tests.payments.batch_provider import BatchProvider, Fault, provider
from tests.payments.conftest import World, entitlements, providers_with
from tests.payments.steps import Steps, paid

pytestmark = pytest.mark.long

__all__ = ["provider"]


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Small batches and small pages, so that a few payments meet every boundary."""
    changed = {
        **environment,
        "PAYMENTS_BATCH_PAGE_SIZE": "2",
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return changed


async def go_on(steps: Steps, owner: asyncpg.Connection, *, times: int = 1) -> None:
    """Let time pass, and whatever is due be done."""
    for _ in range(times):
        await owner.execute(
            "UPDATE payments.batch SET next_action_at = now(), "
            "sent_at = sent_at - interval '2 seconds' WHERE next_action_at IS NOT NULL"
        )
        await owner.execute(
            "UPDATE payments.instruction SET next_action_at = now() WHERE status = 'ready'"
        )
        await steps.step("send-batches-mekong")
        await steps.step("batches-mekong")


async def announce(world: World, steps: Steps, count: int) -> list[UUID]:
    announced = await world.registry.announce(entitlements(count, provider="mekong"))
    await steps.raise_announced()
    page = await world.get("/instructions", chunk_id=str(announced.chunk_id))
    return [UUID(each["id"]) for each in page["items"]]


async def test_a_batch_is_taken_approved_and_its_lines_end_by_its_results(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    provider.bad_accounts = frozenset({1})
    await world.fund(10_000_000)
    lines = await announce(world, steps, 5)
    await go_on(steps, owner, times=4)
    assert sum(provider.paid.values()) == 4
    assert len(provider.rejected) == 1
    for line in lines:
        found = await world.get(f"/instructions/{line}")
        assert found["status"] == ("settled" if line in provider.paid else "rejected")
        assert [move["actor"] for move in found["moves"]] == ["batches", "batches"]
    await world.proofs()


FAULTS = st.lists(st.sampled_from(Fault), max_size=14)


async def test_whatever_goes_wrong_each_line_is_paid_once_or_not_at_all(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(1_000_000_000)
    loop = asyncio.get_running_loop()

    async def play(faults: list[Fault], two_steps: bool, bad: frozenset[int]) -> None:
        provider.two_steps, provider.bad_accounts = two_steps, bad
        provider.faults = iter(faults)
        lines = await announce(world, steps, 5)
        await go_on(steps, owner, times=14 + len(faults))
        assert max(provider.paid.values(), default=1) == 1
        states = {
            row["id"]: row["status"]
            for row in await owner.fetch(
                "SELECT id, status::text FROM payments.instruction WHERE id = ANY($1)", lines
            )
        }
        for line, state in states.items():
            expected = "settled" if line in provider.paid else "rejected"
            assert state in (expected, "unknown"), (state, expected)
        proofs = await steps.prove()
        assert [proof for proof in proofs.proofs if not proof.holds] == []

    @given(FAULTS, st.booleans(), st.frozensets(st.integers(0, 4), max_size=2))
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    def run(faults: list[Fault], two_steps: bool, bad: frozenset[int]) -> None:
        asyncio.run_coroutine_threadsafe(play(faults, two_steps, bad), loop).result()

    await asyncio.to_thread(run)


async def test_a_batch_that_is_refused_for_one_line_is_split_until_the_line_is_alone(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    lines = await announce(world, steps, 24)
    provider.poisoned = {lines[7]}
    await go_on(steps, owner, times=20)
    assert set(provider.paid) == set(lines) - {lines[7]}
    assert max(provider.paid.values()) == 1
    found = await world.get(f"/instructions/{lines[7]}")
    assert (found["status"], found["reason"]) == ("rejected", "formatError")
    await world.proofs()


async def test_a_payment_that_waits_for_a_decision_does_not_keep_others_from_their_batches(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    provider.bad_accounts = frozenset({0})
    [first] = await announce(world, steps, 1)
    await go_on(steps, owner, times=4)
    assert provider.rejected == {first}
    await world.post(f"/instructions/{first}/attempts", {"reason": "The account is mended."})
    # Paid after all: what is tried anew waits, in the oldest chunk that there is.
    await steps.hear([(first, paid(first))])
    assert (await world.get(f"/instructions/{first}"))["status"] == "held"
    provider.bad_accounts = frozenset()
    others = await announce(world, steps, 2)
    await go_on(steps, owner, times=4)
    assert set(provider.paid) == set(others)
    assert await world.count("ready") == 1
    await world.proofs()


async def test_what_was_taken_is_approved_before_more_is_sent_to_a_provider_that_takes_no_more(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    provider.faults = iter([Fault.NONE, Fault.NOT_TAKEN])
    await world.fund(10_000_000)
    first = await announce(world, steps, 2)
    await steps.step("send-batches-mekong")
    await announce(world, steps, 2)
    for _ in range(3):
        await owner.execute("UPDATE payments.instruction SET next_action_at = now()")
        await steps.step("send-batches-mekong")
    assert provider.requests["take"] == 2
    assert not provider.paid
    await steps.step("batches-mekong")
    assert provider.paid.keys() == set(first)
    await steps.step("send-batches-mekong")
    assert provider.requests["take"] == 3


async def test_a_provider_that_takes_no_more_is_looked_at_though_nothing_is_due(
    provider: BatchProvider, world: World, steps: Steps
) -> None:
    looks: list[str] = []
    look = steps.loop("batches-mekong").look
    assert look is not None
    provider.faults = iter([Fault.NOT_TAKEN])
    await world.fund(10_000_000)
    await announce(world, steps, 2)
    await steps.step("send-batches-mekong")
    look(lambda: looks.append("woken"))
    assert looks == ["woken"]
    await steps.step("batches-mekong")
    look(lambda: looks.append("woken again"))
    assert looks == ["woken"]


async def test_an_approval_that_never_left_is_given_as_soon_as_the_provider_is_spoken_to(
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = BatchAnswer(BatchAnswerKind.NOT_SENT, reason="provider_paused")
    monkeypatch.setattr(BatchProvider, "approve", lambda *_: kept)
    await world.fund(10_000_000)
    await announce(world, steps, 2)
    await steps.step("send-batches-mekong")
    for _ in range(12):
        await owner.execute("UPDATE payments.batch SET next_action_at = now()")
        await steps.step("batches-mekong")
    waits = await owner.fetchval("SELECT next_action_at - clock_timestamp() FROM payments.batch")
    # For as long as a first pause: what is doubled here, for nobody has answered, is a second.
    assert waits.total_seconds() < 0.5
    [batch] = (await world.get("/batches"))["items"]
    assert (batch["status"], batch["reason"]) == ("approving", "provider_paused")


async def test_a_refused_approval_is_believed_of_a_batch_that_still_waits_alone(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    provider.faults = iter([Fault.NONE, Fault.REFUSED_AFTER])
    await world.fund(10_000_000)
    await announce(world, steps, 12)
    await go_on(steps, owner, times=8)
    assert (len(provider.paid), max(provider.paid.values())) == (12, 1)
    assert await world.count("settled") == 12
    await world.proofs()


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_batch_whose_approval_is_uncertain_is_not_approved_again_once_it_is_cancelled(
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    arrived: bool,
) -> None:
    lost = Fault.LOST_AFTER if arrived else Fault.LOST_BEFORE
    provider.faults = iter([Fault.NONE, lost])
    await world.fund(10_000_000)
    await announce(world, steps, 3)
    await go_on(steps, owner, times=1)
    [batch] = (await world.get("/batches"))["items"]
    assert batch["status"] == "approving"
    await cancel_all(world, steps)
    # It may still arrive: nothing is released, and nothing is approved.
    await owner.execute(
        "UPDATE payments.batch SET next_action_at = now(), sent_at = now() + interval '1 hour'"
    )
    await steps.step("batches-mekong")
    assert await world.count("sending") == 3
    await owner.execute("UPDATE payments.batch SET sent_at = now() - interval '1 hour'")
    await go_on(steps, owner, times=4)
    while await steps.step("cancel"):
        pass
    if arrived:
        assert (len(provider.paid), await world.count("settled")) == (3, 3)
    else:
        assert (len(provider.paid), await world.count("cancelled")) == (0, 3)
        [batch] = (await world.get("/batches"))["items"]
        assert (batch["status"], batch["reason"]) == ("refused", "activation_cancelled")
    await world.proofs()


async def test_a_batch_that_is_cancelled_right_before_its_approval_is_not_approved(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    """The activation is cancelled after it was looked at, and before the approval leaves."""
    await world.fund(10_000_000)
    await announce(world, steps, 3)
    await steps.step("send-batches-mekong")
    lane = steps.wiring.batch_lanes["mekong"]
    move = lane._outcomes.move

    async def cancelled_first(batch: Any, target: BatchStatus, **given: Any) -> bool:
        moved = await move(batch, target, **given)
        await cancel_all(world, steps)
        return moved

    lane._outcomes.move = cancelled_first  # type: ignore[method-assign]
    await steps.step("batches-mekong")
    assert len(provider.paid) == 0
    while await steps.step("cancel"):
        pass
    assert await world.count("cancelled") == 3
    await world.proofs()


async def test_lines_of_a_cancelled_batch_that_the_provider_does_not_know_are_listed_at_once(
    provider: BatchProvider, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    provider.faults = iter([Fault.LOST_BEFORE])
    await world.fund(10_000_000)
    await announce(world, steps, 3)
    await steps.step("send-batches-mekong")
    await cancel_all(world, steps)
    await go_on(steps, owner, times=2)
    assert provider.requests["take"] == 1
    kinds = (await world.get("/unresolved"))["kinds"]
    assert {kind["kind"]: kind["count"] for kind in kinds if kind["count"]} == {
        "not_known_to_provider": 3
    }
    await world.proofs()


async def cancel_all(world: World, steps: Steps) -> None:
    """Have every activation be cancelled, and heard of; what is under way is not waited for."""
    rows = await world.owner.fetch("SELECT DISTINCT activation_id FROM payments.payment_round")
    for row in rows:
        await world.registry.publish(
            ActivationCancelled(activation_id=row["activation_id"], cancelled_on=date(2026, 1, 6))
        )
    await hear(steps.worker, "payments")


@pytest.fixture
def not_recognising(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers' settings say that they recognise no repeats."""
    changed = providers_with(environment, recognises_repeats_seconds=0, not_known_untrue_seconds=1)
    monkeypatch.setenv("PAYMENTS_PROVIDERS", changed)


async def test_a_provider_that_does_not_recognise_repeats_gets_no_batch_twice(
    not_recognising: None,
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
) -> None:
    provider.two_steps = False
    provider.recognises_repeats = False
    provider.known = False
    provider.faults = iter([Fault.LOST_AFTER])
    await world.fund(10_000_000)
    await announce(world, steps, 3)
    await go_on(steps, owner, times=6)
    assert provider.requests["take"] == 1
    assert await world.count("unknown") == 3
    await world.proofs()
