"""An answer that was heard is stored, applied until it is, and concerns its own payment alone."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from services.payments.answers import recording
from services.payments.answers.decisions import Decision, decide
from services.payments.answers.recording import Recorded
from services.payments.answers.repository import Heard
from services.payments.instructions.repository import Known
from services.payments.providers.answers import Answer
from shared.ids import new_id
from tests.payments.conftest import World, entitlements, providers_with
from tests.payments.scripted import Script, script
from tests.payments.steps import PENDING, REJECTED, Steps, paid, running_steps

__all__ = ["script"]


async def sent(world: World, steps: Steps, count: int) -> list[UUID]:
    """Instructions that are with the provider mekong."""
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(count, provider="mekong"))
    await steps.raise_announced()
    return [order.instruction_id for order in await steps.claim()]


async def try_again(owner: asyncpg.Connection, steps: Steps) -> int:
    """Have what waits applied, as after half a minute."""
    await owner.execute("UPDATE payments.answer SET try_at = now() WHERE applied_at IS NULL")
    return await steps.step("apply-answers")


async def kinds_of_alarms(world: World) -> list[str]:
    return sorted(alarm["kind"] for alarm in (await world.get("/alarms"))["items"])


async def test_an_answer_is_stored_before_it_is_applied_and_applied_until_it_is(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [instruction_id] = await sent(world, steps, 1)
    number = await steps.wiring.directory.number_of("mekong")
    heard = [Heard(instruction_id, number, paid(instruction_id))]
    # Whoever heard it dies here.
    await steps.wiring.recording.store(heard, actor="test")
    assert await world.count("sending") == 1
    # It belongs to whoever stored it for a while, and to anybody afterwards.
    assert await steps.step("apply-answers") == 0
    assert await try_again(owner, steps) == 1
    assert await world.count("settled") == 1
    assert await try_again(owner, steps) == 0
    await world.proofs()


async def test_an_answer_that_cannot_be_applied_keeps_no_other_from_it(
    world: World, steps: Steps, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await sent(world, steps, 20)
    poisoned, secret = ids[7], "+85512345678"

    def fail(known: Known, answer: Answer, **options: Any) -> Decision:
        if known.instruction_id == poisoned:
            raise ValueError(secret)
        return decide(known, answer, **options)

    monkeypatch.setattr(recording, "decide", fail)
    results = await steps.hear([(instruction_id, paid(instruction_id)) for instruction_id in ids])
    assert results.count(Recorded.APPLIED) == 19
    assert results[7] is Recorded.BLOCKED
    assert (await world.count("settled"), await world.count("sending")) == (19, 1)
    [alarm] = (await world.get("/alarms"))["items"]
    assert (alarm["kind"], alarm["instruction_id"]) == ("answer_not_applied", str(poisoned))
    assert "ValueError" in alarm["detail"]
    assert secret not in alarm["detail"]
    monkeypatch.undo()
    assert await try_again(owner, steps) == 1
    assert await world.count("settled") == 20
    await world.proofs()


async def test_a_set_that_meets_a_deadlock_loses_no_answer(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await sent(world, steps, 5)
    make = type(steps.wiring.moves).make

    class Deadlock(Exception):
        sqlstate = "40P01"

    async def chosen_as_victim(self: Any, session: Any, moves: Any, **options: Any) -> Any:
        if len(moves) > 1:
            raise OperationalError("", {}, Deadlock())
        return await make(self, session, moves, **options)

    monkeypatch.setattr(type(steps.wiring.moves), "make", chosen_as_victim)
    await steps.hear([(instruction_id, paid(instruction_id)) for instruction_id in ids])
    assert await world.count("settled") == 5
    assert await kinds_of_alarms(world) == []
    await world.proofs()


async def test_two_workers_apply_late_successes_over_the_same_accounts(
    world: World, steps: Steps
) -> None:
    """Each set holds late successes and plain ones, of both providers, in the other's order."""
    await world.fund(60_000_000)
    await world.registry.announce(entitlements(80))
    await steps.raise_announced()
    late: dict[str, list[UUID]] = {}
    plain: dict[str, list[UUID]] = {}
    for provider in ("mekong", "tonle"):
        ids = [order.instruction_id for order in await steps.claim(provider)]
        late[provider], plain[provider] = ids[:20], ids[20:]
        await steps.hear([(each, REJECTED) for each in late[provider]], provider=provider)
    numbers = await steps.wiring.directory.numbers()

    def heard(provider: str, first: list[UUID], then: list[UUID]) -> list[Heard]:
        return [Heard(each, numbers[provider], paid(each)) for each in (*first, *then)]

    mekong, tonle = (
        heard("mekong", late["mekong"], plain["mekong"]),
        heard("tonle", plain["tonle"], late["tonle"]),
    )
    async with running_steps(world.settings) as others:
        await asyncio.gather(
            *(
                worker.wiring.recording.take(answers, actor="test")
                for worker, answers in (
                    (steps, mekong[0::2] + tonle[0::2]),
                    (others, tonle[1::2] + mekong[1::2]),
                )
            )
        )
    assert (await world.count("held"), await world.count("settled")) == (40, 40)
    assert await kinds_of_alarms(world) == ["late_success"] * 40
    await world.proofs()


async def test_a_late_success_that_cannot_be_borne_waits_and_lets_nobody_pay_again(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000, prefund_minor=96_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    [first] = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED)])
    [second] = await steps.claim()
    # As the response to a request, not as a callback; and another one's answer beside it.
    results = await steps.hear(
        [
            (first.instruction_id, paid(first.instruction_id)),
            (second.instruction_id, paid(second.instruction_id)),
        ]
    )
    assert results == [Recorded.BLOCKED, Recorded.APPLIED]
    assert await kinds_of_alarms(world) == ["cannot_post", "late_success"]
    refused = await world.post(
        f"/instructions/{first.instruction_id}/attempts", {"reason": "again"}, status=409
    )
    assert "waits to be recorded" in refused["detail"]
    assert await try_again(owner, steps) == 0
    await world.post("/providers/mekong/prefundings", {"amount_minor": 96_000, "reference": "x"})
    assert await try_again(owner, steps) == 1
    assert (await world.count("held"), await world.count("settled")) == (1, 1)
    await world.proofs()


async def test_several_answers_about_one_payment_are_applied_in_their_order(
    world: World, steps: Steps
) -> None:
    [instruction_id] = await sent(world, steps, 1)
    results = await steps.hear(
        [
            (instruction_id, PENDING),
            (instruction_id, REJECTED),
            (instruction_id, paid(instruction_id)),
        ]
    )
    assert results == [Recorded.APPLIED] * 3
    history = await world.get(f"/instructions/{instruction_id}")
    assert [move["to_status"] for move in history["moves"]][1:] == ["pending", "rejected", "held"]
    await world.proofs()


async def test_an_answer_about_nothing_here_is_kept(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [instruction_id] = await sent(world, steps, 1)
    elsewhere = new_id()
    results = await steps.hear(
        [(elsewhere, paid(elsewhere)), (instruction_id, paid(instruction_id))]
    )
    assert results == [Recorded.UNMATCHED, Recorded.APPLIED]
    assert await kinds_of_alarms(world) == ["answer_not_applied"]
    assert (
        await owner.fetchval("SELECT count(*) FROM payments.answer WHERE applied_at IS NULL") == 1
    )


async def test_one_reference_settles_one_payment(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    first, second, third = await sent(world, steps, 3)
    # Within one set, and against what is settled already.
    await steps.hear(
        [(first, paid(first, reference="same")), (second, paid(second, reference="same"))]
    )
    await steps.hear([(third, paid(third, reference="same"))])
    assert (await world.count("settled"), await world.count("held")) == (1, 2)
    held = await world.get(f"/instructions/{third}")
    assert (held["reason"], held["transaction_reference"]) == ("repeated_reference", None)
    assert await kinds_of_alarms(world) == ["different_payment"] * 2
    # Two officers may find that it was paid all the same.
    await world.resolve(third, "settled")
    assert await steps.step("resolve") == 1
    assert await world.count("settled") == 2
    with pytest.raises(asyncpg.UniqueViolationError, match="one_for_a_reference"):
        await owner.execute(
            "UPDATE payments.instruction SET transaction_reference = 'same' WHERE id = $1", third
        )
    await world.proofs()


@pytest.mark.parametrize("returns", [True, False])
async def test_paid_without_our_reference_is_believed_of_who_never_returns_it(
    world: World, returns: bool
) -> None:
    providers = [
        provider.model_copy(update={"returns_our_reference": returns})
        for provider in world.settings.providers
    ]
    settings = world.settings.model_copy(update={"providers": providers})
    async with running_steps(settings) as steps:
        [instruction_id] = await sent(world, steps, 1)
        await steps.hear([(instruction_id, replace(paid(instruction_id), our_reference=None))])
    shown = await world.get(f"/instructions/{instruction_id}")
    believed = ("settled", None) if not returns else ("held", "without_our_reference")
    assert (shown["status"], shown["reason"]) == believed
    assert await kinds_of_alarms(world) == (["different_payment"] if returns else [])
    await world.proofs()


async def test_an_adapter_that_raises_concerns_that_payment_alone(
    script: Script, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(10, provider="mekong"))
    await steps.raise_announced()

    async def answer(instruction_id: UUID) -> Answer:
        if script.sent.index(instruction_id) == 3:
            raise OverflowError("+85512345678")
        return paid(instruction_id)

    script.on_send = answer
    while await steps.step("send-mekong"):
        pass
    assert (await world.count("settled"), await world.count("unknown")) == (9, 1)
    failed = await world.get(f"/instructions/{script.sent[3]}")
    assert failed["reason"] == "adapter_failed"
    # And when it is asked about.
    script.on_ask = answer
    await owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    assert await steps.step("inquire-mekong") == 1
    assert await world.count("unknown") == 1


async def test_a_word_that_is_not_known_is_kept_as_a_code(
    script: Script, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [instruction_id] = await sent(world, steps, 1)
    await steps.hear([(instruction_id, PENDING)])
    script.on_ask = lambda _: asyncio.sleep(
        0, replace(PENDING, reason="transaction_awaiting_approval")
    )
    await owner.execute("UPDATE payments.instruction SET next_action_at = now()")
    await steps.step("inquire-mekong")
    shown = await world.get(f"/instructions/{instruction_id}")
    assert (shown["status"], shown["reason"]) == ("pending", "transaction_awaiting_approval")
    assert len(shown["moves"]) == 2


async def test_the_list_of_providers_is_told_when_it_changes(
    world: World, steps: Steps, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    kind = "org.sangkroh.providers-configured.v1"
    await steps.wiring.directory.numbers()
    both = {"providers": [{"code": code, "currency": "KHR"} for code in ("mekong", "tonle")]}
    assert await world.events(kind) == [both]
    without = world.settings.model_copy(update={"providers": world.settings.providers[:1]})
    for _ in range(2):
        async with running_steps(without) as others:
            await others.wiring.directory.numbers()
    assert await world.events(kind) == [both, {"providers": both["providers"][:1]}]
    async with running_steps(world.settings) as again:
        await again.wiring.directory.numbers()
    assert (await world.events(kind))[-1] == both
    assert providers_with(environment) == environment["PAYMENTS_PROVIDERS"]
