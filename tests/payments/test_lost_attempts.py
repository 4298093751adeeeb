"""A further attempt that the database has lost is found where it went: nobody is paid twice."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import asyncpg

from shared.ids import instruction_id
from tests.payments.announcing import Entitlement
from tests.payments.conftest import World, entitlements
from tests.payments.routing_world import Keeping, Memory, let_time_pass, memory, work
from tests.payments.steps import Steps, running_steps

__all__ = ["memory"]


async def rejected_once(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> Entitlement:
    """One payment, rejected by its provider."""
    [owed] = entitlements(1, provider="mekong")
    memory.meets = lambda *_: "incorrectState"
    await world.fund(20_000_000)
    await world.registry.announce([owed])
    await steps.raise_announced()
    await work(steps, owner, times=1)
    assert await world.count("rejected") == 1
    return owed


async def tried_anew(world: World, entitlement_id: UUID, *, attempt: int = 1) -> UUID:
    """Two persons have it tried again; the id of the attempt."""
    before = instruction_id(entitlement_id, attempt=attempt)
    proposal = await world.propose(f"/instructions/{before}/attempts", {"reason": "It is open."})
    await world.approve(proposal["id"])
    return instruction_id(entitlement_id, attempt=attempt + 1)


def times_paid(memory: Memory) -> int:
    return sum((memory.paid["mekong"] + memory.paid["tonle"]).values())


async def test_a_lost_attempt_is_found_before_its_household_is_paid_by_another_announcement(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = await rejected_once(memory, world, steps, owner)
    keeping = Keeping(owner)
    await keeping.keep()
    memory.meets = lambda *_: "pays"
    anew = await tried_anew(world, owed.entitlement_id)
    await work(steps, owner)
    assert memory.paid["mekong"] == Counter([anew])
    await keeping.lose()
    # The registry knows of the rejection, and mended the household's account since.
    await world.registry.announce([replace(owed, announcement=2, account="+85512999888")])
    await work(steps, owner)
    assert memory.paid["mekong"] == Counter([anew])
    assert times_paid(memory) == 1
    found = await world.get(f"/instructions/{anew}")
    assert (found["status"], found["attempt"]) == ("held", 2)
    # Two persons see that it was paid, and the payment that was announced anew is not made.
    [alarm] = (await world.get("/alarms", instruction_id=str(anew)))["items"]
    assert alarm["kind"] == "late_success"
    other = instruction_id(owed.entitlement_id, announcement=2)
    assert (await world.get(f"/instructions/{other}"))["status"] == "ready"
    await world.proofs()


async def test_what_the_provider_forgot_that_it_rejected_is_not_sent_beside_a_lost_attempt(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    [owed] = entitlements(1, provider="mekong")
    await world.fund(20_000_000)
    await world.registry.announce([owed])
    await steps.raise_announced()
    keeping = Keeping(owner)
    await keeping.keep()
    memory.meets = lambda *_: "incorrectState"
    await work(steps, owner, times=1)
    memory.meets = lambda *_: "pays"
    anew = await tried_anew(world, owed.entitlement_id)
    await work(steps, owner)
    assert memory.paid["mekong"] == Counter([anew])
    await keeping.lose()
    # By its first id the provider knows nothing, so that it would be sent once more.
    memory.rejected["mekong"].clear()
    memory.answers = lambda provider: provider == "mekong"
    await work(steps, owner)
    assert await world.count("ready") + await world.count("unknown") == 1
    assert times_paid(memory) == 1
    memory.answers = lambda _: True
    await work(steps, owner, times=6)
    assert memory.paid["mekong"] == Counter([anew])
    assert times_paid(memory) == 1
    first = await world.get(f"/instructions/{instruction_id(owed.entitlement_id)}")
    assert (first["status"], first["reason"]) == ("rejected", "tried_anew")
    assert (await world.get(f"/instructions/{anew}"))["status"] == "held"
    await world.resolve(anew, "settled")
    await steps.step("resolve")
    assert (await world.get(f"/instructions/{anew}"))["status"] == "settled"
    await world.proofs()


async def test_whoever_may_have_forgotten_a_lost_attempt_is_not_believed(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = await rejected_once(memory, world, steps, owner)
    memory.meets = lambda *_: "pays"
    keeping = Keeping(owner)
    await keeping.keep()
    await keeping.lose()
    await world.registry.announce([replace(owed, announcement=2)])
    forgets = [
        provider.model_copy(update={"recognises_repeats_seconds": 0})
        for provider in world.settings.providers
    ]
    async with running_steps(world.settings.model_copy(update={"providers": forgets})) as again:
        # Beyond the hour in which whatever was announced is asked about first.
        await let_time_pass(owner)
        await work(again, owner)
        assert times_paid(memory) == 0
        [hold] = (await world.get("/holds"))["items"]
        assert hold["rule"] == "perhaps_tried_anew"
        chosen = {"rule": hold["rule"]}
        decision = {"decision": "release", "reason": "Compared.", "chosen": chosen}
        await world.post("/holds/decisions", decision)
        await again.step("resolve")
        await work(again, owner)
    other = instruction_id(owed.entitlement_id, announcement=2)
    assert memory.paid["mekong"] == Counter([other])
    await world.proofs()


async def test_a_payment_is_tried_so_often_and_no_more(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = await rejected_once(memory, world, steps, owner)
    for attempt in (1, 2):
        await tried_anew(world, owed.entitlement_id, attempt=attempt)
        await work(steps, owner, times=1)
    third = instruction_id(owed.entitlement_id, attempt=3)
    refused = await world.post(
        f"/instructions/{third}/attempts", {"reason": "Once more."}, status=409
    )
    assert "It was tried 3 times" in refused["detail"]
