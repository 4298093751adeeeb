"""Another provider pays where a rule of two persons says so, and never beside what may be paid."""

import json
import os
import random
from collections import Counter
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.payments.providers import adapters
from services.payments.providers.adapters import ADAPTERS
from services.payments.routing.groups import GroupDoesNotFit, groups_fit
from services.payments.settings import WorkerSettings
from shared.ids import instruction_id
from tests.payments.announcing import Announced, Entitlement
from tests.payments.batch_provider import BatchProvider, provider
from tests.payments.conftest import World, entitlements
from tests.payments.routing_world import (
    Keeping,
    Memory,
    judged,
    memory,
    pause,
    route,
    rule,
    work,
)
from tests.payments.steps import Steps, running_steps

__all__ = ["memory", "provider"]


async def raised(world: World, steps: Steps, *owed: Entitlement) -> Announced:
    await world.fund(20_000_000)
    announced = await world.registry.announce(owed)
    await steps.raise_announced()
    return announced


def ids(owed: list[Entitlement]) -> set[UUID]:
    return {instruction_id(each.entitlement_id, announcement=1, attempt=1) for each in owed}


async def test_two_persons_set_a_rule_within_a_group(
    memory: Memory, world: World, steps: Steps
) -> None:
    first = await route(world)
    assert (first["version"], first["rerouted_minor"]) == (1, 0)
    second = await route(world, causes=["paused"], maximum_minor=5)
    listed = (await world.get("/routes", provider="mekong"))["items"]
    assert [item["version"] for item in listed] == [2, 1]
    assert listed[0] == second
    stale = await world.propose("/routes", rule(causes=[]))
    await route(world, causes=["down"])
    refused = await world.approve(stale["id"], status=409)
    assert "was changed after this was proposed" in refused["detail"]


async def test_whoever_is_in_no_group_stands_in_for_nobody(world: World) -> None:
    answer = await world.post("/routes", rule(), status=409)
    assert "PAYMENTS_STAND_INS" in answer["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"instead": []},
        {"instead": ["mekong"]},
        {"instead": ["tonle", "tonle"]},
        {"causes": ["found_there"]},
        {"causes": ["rejected"]},
        {"rejections": ["identifierError"]},
    ],
)
async def test_a_rule_that_is_not_whole_is_refused(world: World, changes: dict[str, Any]) -> None:
    await world.post("/routes", rule(**changes), status=422)


async def test_what_was_never_claimed_goes_by_another_provider_and_says_why(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world)
    owed = entitlements(3, provider="mekong")
    announced = await raised(world, steps, *owed)
    await pause(world)
    assert await steps.step("reroute") == 3
    assert await steps.step("reroute") == 0
    await work(steps, owner)
    assert {provider for provider, _ in memory.sent} == {"tonle"}
    assert set(memory.paid["tonle"]) == ids(owed)
    await world.until_chunk(announced, "settled")
    shown = await world.instruction_of(owed[0].entitlement_id)
    assert shown["provider"] == "tonle"
    [rerouting] = shown["reroutings"]
    assert (rerouting["from_provider"], rerouting["to_provider"]) == ("mekong", "tonle")
    assert (rerouting["cause"], rerouting["route_version"]) == ("paused", 1)
    history = await world.get(f"/entitlements/{owed[0].entitlement_id}/history")
    [gone] = history["attempts"][0]["gone_by"]
    assert gone["en"].endswith("which was paused.")
    receipt = await world.client.get(f"/entitlements/{owed[0].entitlement_id}/receipt")
    assert "which was paused" in receipt.text
    [rule_now] = (await world.get("/routes"))["items"]
    assert (rule_now["rerouted_minor"], rule_now["rerouted_count"]) == (288_000, 3)
    await world.proofs()


@pytest.fixture
def tonle_is_asked(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tonle's accounts are checked before they are paid, and mekong's are not."""
    providers = json.loads(os.environ["PAYMENTS_PROVIDERS"])
    told = [
        {**provider, **({"account_checks": ["status"]} if provider["code"] == "tonle" else {})}
        for provider in providers
    ]
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(told))


@pytest.mark.usefixtures("tonle_is_asked")
async def test_an_account_is_checked_where_it_is_paid(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world)
    await raised(world, steps, *entitlements(3, provider="mekong"))
    await pause(world)
    assert await steps.step("reroute") == 3
    assert await steps.step("send-tonle") == 0
    waiting = await owner.fetchval(
        "SELECT count(*) FROM payments.instruction JOIN payments.account_check AS checked "
        "USING (household_id, account_fingerprint, provider_number) "
        "WHERE account_unchecked AND checked.outcome IS NULL AND checked.ask_at IS NOT NULL"
    )
    assert waiting == 3
    await owner.execute("UPDATE payments.instruction SET account_unchecked = false")
    assert await steps.step("send-tonle") == 3


async def test_what_was_claimed_or_has_no_answer_stays_where_it_is(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world)
    memory.meets = lambda provider, _: "loses"
    owed = entitlements(3, provider="mekong")
    await raised(world, steps, *owed)
    # Of three, the first has no answer, the second was claimed and given back.
    [first] = await steps.claim(size=1)
    await owner.execute(
        "UPDATE payments.instruction SET moves = 2 WHERE id = (SELECT id FROM "
        "payments.instruction WHERE status = 'ready' ORDER BY id LIMIT 1)"
    )
    await pause(world)
    assert await steps.step("reroute") == 1
    rows = await owner.fetch(
        "SELECT moves, provider.code FROM payments.instruction JOIN payments.provider "
        "ON provider.number = provider_number ORDER BY moves"
    )
    assert [tuple(row) for row in rows] == [(0, "tonle"), (1, "mekong"), (2, "mekong")]
    assert first.instruction_id in ids(owed)


@pytest.mark.parametrize(
    ("maximum_minor", "prefund_minor", "count"),
    [
        (192_000, 10_000_000, 2),
        (100_000_000, 200_000, 2),
        (95_999, 10_000_000, 0),
    ],
)
async def test_no_more_goes_than_two_persons_said_and_the_float_covers(
    memory: Memory,
    world: World,
    steps: Steps,
    maximum_minor: int,
    prefund_minor: int,
    count: int,
) -> None:
    await route(world, maximum_minor=maximum_minor)
    await world.fund(20_000_000, prefund_minor=prefund_minor)
    await world.registry.announce(entitlements(4, provider="mekong"))
    await steps.raise_announced()
    await pause(world)
    assert await steps.step("reroute") == count
    assert await steps.step("reroute") == 0


async def test_a_provider_that_is_down_is_gone_around_and_one_that_is_not_well_is_not_taken(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world, down_seconds=60)
    await raised(world, steps, *entitlements(2, provider="mekong"))
    failing = (
        "INSERT INTO payments.provider_health (provider_number, last_failure_at, failing_since) "
        "SELECT number, now(), now() - make_interval(secs => $2) FROM payments.provider "
        "WHERE code = $1 ON CONFLICT (provider_number) DO UPDATE "
        "SET failing_since = excluded.failing_since, last_failure_at = excluded.last_failure_at"
    )
    await owner.execute(failing, "mekong", 30.0)
    assert await steps.step("reroute") == 0
    await owner.execute(failing, "mekong", 90.0)
    await pause(world, "tonle")
    assert await steps.step("reroute") == 0
    await owner.execute("UPDATE payments.pause SET resumed_at = now()")
    await owner.execute(failing, "tonle", 90.0)
    assert await steps.step("reroute") == 0
    await owner.execute(
        "DELETE FROM payments.provider_health WHERE provider_number = "
        "(SELECT number FROM payments.provider WHERE code = 'tonle')"
    )
    assert await steps.step("reroute") == 2


async def test_what_waits_for_a_provider_that_was_taken_out_goes_by_another(
    memory: Memory, world: World, steps: Steps
) -> None:
    await route(world)
    await raised(world, steps, *entitlements(2, provider="mekong"))
    without = world.settings.model_copy(update={"providers": world.settings.providers[1:]})
    async with running_steps(without) as others:
        assert await others.step("reroute") == 2
        assert await others.step("send-tonle") == 2
    assert await world.count("settled") == 2


async def test_a_rejection_that_the_rule_names_is_tried_anew_elsewhere_by_two_persons(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world, causes=["rejected"], rejections=["identifierError"])
    codes = iter(["identifierError", "incorrectState"])
    memory.meets = lambda provider, _: next(codes) if provider == "mekong" else "pays"
    owed = entitlements(2, provider="mekong")
    await raised(world, steps, *owed)
    await work(steps, owner, times=1)
    whys = {}
    for each in owed:
        rejected = await world.instruction_of(each.entitlement_id)
        proposal = await world.propose(
            f"/instructions/{rejected['id']}/attempts", {"reason": "They have another SIM."}
        )
        assert ("by tonle" in proposal["what"]) == (rejected["reason"] == "identifierError")
        await world.approve(proposal["id"])
        whys[rejected["reason"]] = await world.instruction_of(each.entitlement_id)
    assert whys["identifierError"]["provider"] == "tonle"
    assert whys["identifierError"]["reroutings"][0]["cause"] == "rejected"
    assert whys["incorrectState"]["provider"] == "mekong"
    memory.meets = lambda *_: "pays"
    await work(steps, owner)
    assert await world.count("settled") == 2
    await world.proofs()


async def test_what_went_elsewhere_before_commits_were_lost_is_found_there(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world)
    owed = entitlements(3, provider="mekong")
    announced = await raised(world, steps, *owed)
    keeping = Keeping(owner)
    await keeping.keep()
    await pause(world)
    await steps.step("reroute")
    await steps.step("send-tonle")
    assert sum(memory.paid["tonle"].values()) == 3
    await keeping.lose()
    assert await world.count("ready") == 3
    async with running_steps(world.settings) as again:
        await work(again, owner)
    assert memory.sent == [("tonle", each) for _, each in memory.sent]
    assert sum(memory.paid["tonle"].values()) == 3
    await world.until_chunk(announced, "settled")
    shown = await world.instruction_of(owed[0].entitlement_id)
    assert [each["cause"] for each in shown["reroutings"]] == ["found_there"]
    assert shown["provider"] == "tonle"
    await world.proofs()
    await judged(owner, memory)


async def test_whoever_is_not_asked_elsewhere_would_pay_twice(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    """What the groups are for: a worker that is told of none asks one provider alone."""
    await route(world)
    owed = entitlements(2, provider="mekong")
    await raised(world, steps, *owed)
    keeping = Keeping(owner)
    await keeping.keep()
    await pause(world)
    await steps.step("reroute")
    await steps.step("send-tonle")
    await keeping.lose()
    async with running_steps(world.settings.model_copy(update={"stand_ins": []})) as again:
        await work(again, owner)
    assert memory.paid["mekong"] == memory.paid["tonle"] == dict.fromkeys(ids(owed), 1)


async def test_nothing_is_sent_while_another_that_may_have_paid_does_not_answer(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = entitlements(2, provider="mekong")
    await raised(world, steps, *owed)
    keeping = Keeping(owner)
    await keeping.keep()
    await keeping.lose()
    memory.answers = lambda provider: provider != "tonle"
    await work(steps, owner)
    assert memory.sent == []
    assert await world.count("ready") == 2
    waiting = await world.instruction_of(owed[0].entitlement_id)
    assert waiting["reason"] == "may_be_with_another_provider"
    # Two persons who cancelled it would have it paid anew, beside what the other may have paid.
    await world.resolve(waiting["id"], "cancelled")
    assert await steps.step("resolve") == 1
    assert await world.count("ready") == 2
    memory.answers = lambda provider: True
    await work(steps, owner)
    assert set(memory.paid["mekong"]) == ids(owed)
    assert not memory.paid["tonle"]
    await world.proofs()


async def test_one_that_forgets_is_not_believed_and_two_persons_decide(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    owed = entitlements(1, provider="mekong")
    await raised(world, steps, *owed)
    keeping = Keeping(owner)
    await keeping.keep()
    await keeping.lose()
    mekong, tonle = world.settings.providers
    forgets = [mekong, tonle.model_copy(update={"recognises_repeats_seconds": 0})]
    async with running_steps(world.settings.model_copy(update={"providers": forgets})) as again:
        await work(again, owner)
        assert memory.sent == []
        waiting = await world.instruction_of(owed[0].entitlement_id)
        assert (waiting["status"], waiting["reason"]) == (
            "unknown",
            "may_be_with_another_provider",
        )
        [listed] = (await world.get("/unresolved/not_known_to_provider"))["items"]
        assert listed["instruction_id"] == waiting["id"]
        await world.resolve(waiting["id"], "resend")
        await again.step("resolve")
        await work(again, owner)
    assert set(memory.paid["mekong"]) == ids(owed)


@pytest.mark.parametrize("seed", range(4))
async def test_however_commits_are_lost_no_household_is_paid_twice(
    memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection, seed: int
) -> None:
    """Anything happens in any order; in the end each is paid once, by one of them."""
    chance = random.Random(seed)
    await route(world, causes=["paused"])
    owed = entitlements(6)
    await world.fund(20_000_000)
    announced = await world.registry.announce(owed)
    fates = ["pays", "pays-silently", "loses"]
    memory.meets = lambda *_: chance.choice(fates)
    memory.answers = lambda _: chance.random() < 0.8
    keeping = Keeping(owner)
    await steps.raise_announced()
    await keeping.keep()
    paused = False
    for _ in range(8):
        match chance.choice(["work", "work", "lose", "pause", "resume", "keep", "reroute"]):
            case "work":
                await work(steps, owner, times=1)
            case "lose":
                await keeping.lose()
                paused = await owner.fetchval(
                    "SELECT EXISTS (SELECT FROM payments.pause WHERE resumed_at IS NULL)"
                )
            case "keep":
                await keeping.keep()
            case "pause" if not paused:
                await pause(world)
                paused = True
            case "resume":
                await owner.execute("UPDATE payments.pause SET resumed_at = now()")
                paused = False
            case _:
                await steps.step("reroute")
                await steps.step("pauses")
    await keeping.lose()
    memory.answers = lambda _: True
    memory.meets = lambda *_: "pays"
    await owner.execute("UPDATE payments.pause SET resumed_at = now()")
    await steps.step("pauses")
    await work(steps, owner, times=8)
    times_paid = memory.paid["mekong"] + memory.paid["tonle"]
    assert times_paid == dict.fromkeys(ids(owed), 1), memory.sent
    claimed_before = await owner.fetchval(
        "SELECT count(*) FROM payments.rerouting JOIN payments.instruction_move AS move "
        "USING (instruction_id) JOIN payments.journal_entry AS entry "
        "ON entry.number = move.entry_number WHERE entry.posted_at < rerouted_at"
    )
    assert claimed_before == 0
    await world.until_chunk(announced, "settled")
    await world.proofs()
    await judged(owner, memory)


@pytest.fixture
def batches(memory: Memory, provider: BatchProvider, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tonle takes batches, and has a memory of its own; nobody can ask it about one payment."""
    protocol = "gsma-mobile-money-1.2-batches"
    monkeypatch.setitem(adapters.ADAPTERS, protocol, ADAPTERS["gsma-mobile-money-1.2"])
    told = [
        {**each, **({"protocol": protocol} if each["code"] == "tonle" else {})}
        for each in json.loads(os.environ["PAYMENTS_PROVIDERS"])
    ]
    monkeypatch.setenv("PAYMENTS_PROVIDERS", json.dumps(told))
    return provider


async def work_beside_batches(steps: Steps, owner: asyncpg.Connection, *, times: int = 4) -> None:
    """As ``work``, and all that is to be done about batches of tonle."""
    for _ in range(times):
        await work(steps, owner, times=1)
        await owner.execute("UPDATE payments.batch SET next_action_at = now()")
        for name in ("send-batches-tonle", "batches-tonle", "batches-tonle"):
            await steps.step(name)
    await steps.close_all()


async def test_whoever_takes_batches_stands_in_for_what_was_never_claimed(
    batches: BatchProvider, memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world)
    owed = entitlements(3, provider="mekong")
    await raised(world, steps, *owed)
    memory.meets = lambda *_: "loses"
    [claimed] = await steps.claim(size=1)
    keeping = Keeping(owner)
    await keeping.keep()
    await pause(world)
    assert await steps.step("reroute") == 2
    await work_beside_batches(steps, owner, times=2)
    gone = ids(owed) - {claimed.instruction_id}
    assert batches.paid == dict.fromkeys(gone, 1)
    # By the rows that are left, both are ready at mekong; the batch is lost, and so is its id.
    await keeping.lose()
    batches.known = False
    async with running_steps(world.settings) as again:
        memory.meets = lambda *_: "pays"
        await work_beside_batches(again, owner)
        assert not memory.paid["mekong"]
        assert batches.paid == dict.fromkeys(gone, 1)
        listed = (await world.get("/unresolved/not_known_to_provider"))["items"]
        assert {UUID(each["instruction_id"]): each["reason"] for each in listed} == {
            **dict.fromkeys(gone, "may_be_with_another_provider"),
            # It may have been rejected, and tried anew there.
            claimed.instruction_id: "may_have_been_tried_anew",
        }
        # Two persons compare with its statement, and record them as paid where they were.
        for each in gone:
            await world.resolve(each, "settled")
        await world.resolve(claimed.instruction_id, "resend")
        while await again.step("resolve"):
            pass
        await work_beside_batches(again, owner)
    assert memory.paid["mekong"] == Counter([claimed.instruction_id])
    assert await world.count("settled") == 3
    assert sum((memory.paid["mekong"] + batches.paid).values()) == 3


async def test_what_waits_for_whoever_takes_batches_goes_by_another(
    batches: BatchProvider, memory: Memory, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await route(world, provider="tonle", instead=["mekong"])
    owed = entitlements(3, provider="tonle")
    await raised(world, steps, *owed)
    keeping = Keeping(owner)
    await keeping.keep()
    await pause(world, "tonle")
    assert await steps.step("reroute") == 3
    await steps.step("send-mekong")
    assert set(memory.paid["mekong"]) == ids(owed)
    await keeping.lose()
    async with running_steps(world.settings) as again:
        await work_beside_batches(again, owner)
    assert memory.paid["mekong"] == dict.fromkeys(ids(owed), 1)
    assert not batches.paid
    assert await world.count("settled") == 3
    await world.proofs()


def test_a_group_is_of_one_currency_and_a_provider_in_one_group(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS_STAND_INS", '[["mekong", "tonle"]]')
    settings = WorkerSettings()
    groups_fit(settings, ["mekong", "tonle"])
    first, second = settings.providers
    dollars = [first, second.model_copy(update={"currency": "USD"})]
    with pytest.raises(GroupDoesNotFit, match="different currencies"):
        groups_fit(settings.model_copy(update={"providers": dollars}), ["mekong", "tonle"])
    monkeypatch.setenv("PAYMENTS_STAND_INS", '[["mekong", "tonle"], ["tonle", "wing"]]')
    with pytest.raises(ValueError, match="names tonle twice"):
        WorkerSettings()
