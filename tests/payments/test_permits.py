"""Nothing is sent after its lease, and what has not left goes back as if it had never been due."""

from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from services.payments.dispatch.lane import Claimed, Lane
from services.payments.dispatch.permits import seconds_since_boot
from services.payments.instructions.moves import Move
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from tests.payments.conftest import World, entitlements
from tests.payments.scripted import Script, answering, script
from tests.payments.steps import NOT_KNOWN, SILENCE, Steps, paid, running_steps

__all__ = ["script"]

UNWELL = Answer(AnswerKind.NO_ANSWER, reason="timeout", provider_unwell=True)


class Clock:
    """The machine's clock, as far as permits look at it."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        return seconds_since_boot() + self.ahead_seconds


@pytest.fixture
def clock(steps: Steps) -> Clock:
    clock = Clock()
    for lane in steps.wiring.lanes.values():
        lane.now = clock
    return clock


async def ready(world: World, steps: Steps, count: int) -> None:
    await world.fund(20_000_000)
    await world.registry.announce(entitlements(count, provider="mekong"))
    await steps.raise_announced()


async def money(world: World) -> tuple[int, int]:
    """What is in the provider's float and in transit."""
    [mekong, _] = (await world.get("/providers"))["items"]
    return mekong["float_minor"], mekong["in_transit_minor"]


async def due_now(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE payments.instruction SET next_action_at = now()")


async def make_unknown(world: World, steps: Steps) -> UUID:
    """One instruction that was sent and got no answer."""
    await ready(world, steps, 1)
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, SILENCE)])
    return order.instruction_id


async def test_a_worker_that_was_stopped_past_its_lease_sends_nothing(
    script: Script, world: World, steps: Steps, clock: Clock
) -> None:
    await ready(world, steps, 5)
    before = await money(world)
    lane = steps.wiring.lanes["mekong"]
    claimed = await lane.claim(size=5, actor="dispatch")
    assert await world.count("sending") == 5
    clock.ahead_seconds = 90
    lane.send_all(claimed)
    await steps.wiring.settle_requests()
    assert script.sent == []
    # It is certain that nothing left, so the money is in the float again.
    assert await world.count("ready") == 5
    assert await money(world) == before
    history = await world.get(f"/instructions/{claimed[0].order.instruction_id}")
    assert [(move["to_status"], move["reason"]) for move in history["moves"]] == [
        ("sending", None),
        ("ready", "not_sent_in_time"),
    ]
    assert [transfer["code"] for transfer in history["transfers"]] == ["sent", "not_sent"]
    await world.proofs()


async def test_what_was_not_sent_is_sent_later_and_counted_again(
    script: Script, world: World, steps: Steps, clock: Clock, owner: asyncpg.Connection
) -> None:
    await ready(world, steps, 1)
    lane = steps.wiring.lanes["mekong"]
    for _ in range(3):
        claimed = await lane.claim(size=1, actor="dispatch")
        clock.ahead_seconds += 90
        lane.send_all(claimed)
        await steps.wiring.settle_requests()
        # It waits a little, so that nothing goes round and round.
        assert await lane.claim(size=1, actor="dispatch") == []
        await due_now(owner)
    script.on_send = lambda instruction_id: answering(paid(instruction_id))(instruction_id)
    assert await steps.step("send-mekong") == 1
    history = await world.get(f"/instructions/{script.sent[0]}")
    assert history["status"] == "settled"
    codes = [transfer["code"] for transfer in history["transfers"]]
    assert codes[:7] == ["sent", "not_sent"] * 3 + ["sent"]
    # Each of its moves is a line of another journal entry, and an entry books a code once.
    numbers = [transfer["entry_number"] for transfer in history["transfers"][:7]]
    assert numbers == sorted(set(numbers))
    with pytest.raises(asyncpg.UniqueViolationError, match="of_an_entry_once"):
        await owner.execute(
            "INSERT INTO payments.transfer (entry_number, amount_minor, posted_at, debit_account, "
            "credit_account, code, currency) SELECT entry_number, amount_minor, posted_at, "
            "debit_account, credit_account, code, currency FROM payments.transfer "
            "WHERE code = 'settled'"
        )
    await world.proofs()


async def test_what_another_worker_sent_meanwhile_is_not_given_back(
    script: Script, world: World, steps: Steps, clock: Clock, owner: asyncpg.Connection
) -> None:
    """Stopped past its lease; given up; sent again by another, who is waiting for the answer."""
    await ready(world, steps, 1)
    lane = steps.wiring.lanes["mekong"]
    [stale] = await lane.claim(size=1, actor="dispatch")
    await due_now(owner)
    assert await steps.step("leases") == 1
    assert await steps.resend(stale.order.instruction_id)
    clock.ahead_seconds = 90
    lane.send_all([stale])
    await steps.wiring.settle_requests()
    assert script.sent == []
    assert await world.count("sending") == 1
    await world.proofs()


async def test_a_resend_does_not_leave_after_its_lease(
    script: Script, world: World, steps: Steps, clock: Clock, owner: asyncpg.Connection
) -> None:
    instruction_id = await make_unknown(world, steps)
    await owner.execute("UPDATE payments.instruction SET sent_at = now() - interval '5 seconds'")
    send = Lane.send

    async def stopped_first(claimed: Claimed) -> object:
        clock.ahead_seconds = 90
        return await send(steps.wiring.lanes["mekong"], claimed)

    lane = steps.wiring.lanes["mekong"]
    lane.send = stopped_first  # type: ignore[method-assign, assignment]
    await due_now(owner)
    assert await steps.step("inquire-mekong") == 1
    assert (script.asked, script.sent) == ([instruction_id], [])
    # An earlier request may have arrived: it is unknown, and its money in transit.
    shown = await world.get(f"/instructions/{instruction_id}")
    assert (shown["status"], shown["reason"]) == ("unknown", "not_sent_in_time")
    await world.proofs()


async def test_a_burst_of_bad_answers_leaves_the_queue_ready(
    script: Script, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await ready(world, steps, 100)
    narrow = world.settings.model_copy(update={"dispatch_concurrency": 4})
    script.on_send = answering(UNWELL)
    async with running_steps(narrow) as few:
        await few.step("send-mekong")
        assert len(script.sent) <= 8 + 3
        assert await world.count("unknown") == len(script.sent)
        assert await world.count("ready") == 100 - len(script.sent)
        # When the pause is over, one request shows how the provider is.
        sent_before = len(script.sent)
        lane = few.wiring.lanes["mekong"]
        await due_now(owner)
        lane.pausing._paused_until = 0.0
        assert await few.step("send-mekong") == 1
        assert len(script.sent) == sent_before + 1
    await world.proofs()


async def test_an_instruction_goes_back_only_by_who_claimed_it(world: World, steps: Steps) -> None:
    await ready(world, steps, 1)
    [order] = await steps.claim()
    for position in (None, 0, 2):
        move = Move(order.instruction_id, Status.READY, claimed_at_position=position)
        async with steps.wiring.database.transaction() as session:
            assert await steps.wiring.moves.make(session, [move], actor="test") == set()
    async with steps.wiring.database.transaction() as session:
        moved = await steps.wiring.moves.make(
            session, [replace(move, claimed_at_position=1)], actor="test"
        )
    assert moved == {order.instruction_id}
    await world.proofs()


@pytest.mark.parametrize(
    ("recognises_seconds", "untrue_seconds", "first_sent", "last_sent", "kept"),
    [
        (0, 0, "1 minute", "1 minute", "repeats_not_recognised"),
        (86_400, 300, "4 minutes", "4 minutes", "not_known_may_be_untrue"),
        (86_400, 300, "23 hours", "6 minutes", None),
        (86_400, 300, "25 hours", "6 minutes", "repeats_no_longer_recognised"),
        # It would arrive too late: a lease is three seconds here.
        (602, 300, "10 minutes", "6 minutes", "repeats_no_longer_recognised"),
        (86_400, 300, None, "6 minutes", "first_sending_not_known"),
    ],
)
async def test_what_is_not_known_is_sent_again_as_far_as_the_provider_is_known_to_bear_it(
    script: Script,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
    recognises_seconds: int,
    untrue_seconds: int,
    first_sent: str | None,
    last_sent: str,
    kept: str | None,
) -> None:
    instruction_id = await make_unknown(world, steps)
    await owner.execute(
        "UPDATE payments.instruction SET next_action_at = now(), "
        f"first_sent_at = now() - {f'{first_sent!r}' if first_sent else 'NULL'}::interval, "
        f"sent_at = now() - '{last_sent}'::interval"
    )
    providers = [
        provider.model_copy(
            update={
                "recognises_repeats_seconds": recognises_seconds,
                "not_known_untrue_seconds": untrue_seconds,
            }
        )
        for provider in world.settings.providers
    ]
    settings = world.settings.model_copy(update={"providers": providers})
    async with running_steps(settings) as others:
        assert await others.step("inquire-mekong") == 1
    assert script.sent == ([] if kept else [instruction_id])
    shown = await world.get(f"/instructions/{instruction_id}")
    assert (shown["status"], shown["reason"]) == (("unknown", kept) if kept else ("pending", None))
    await world.proofs()


async def test_a_provider_of_which_nothing_is_said_is_sent_nothing_again(
    script: Script, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    instruction_id = await make_unknown(world, steps)
    given = [
        provider.model_dump(exclude={"recognises_repeats_seconds", "not_known_untrue_seconds"})
        for provider in world.settings.providers
    ]
    providers = [type(world.settings.providers[0])(**provider) for provider in given]
    await owner.execute(
        "UPDATE payments.instruction SET next_action_at = now(), "
        "first_sent_at = now() - interval '1 hour', sent_at = now() - interval '1 hour'"
    )
    settings = world.settings.model_copy(update={"providers": providers})
    async with running_steps(settings) as others:
        assert await others.step("inquire-mekong") == 1
    assert script.sent == []
    shown = await world.get(f"/instructions/{instruction_id}")
    assert (shown["status"], shown["reason"]) == ("unknown", "repeats_not_recognised")


async def test_an_old_not_known_sends_nothing_that_was_sent_again_meanwhile(
    script: Script, world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    instruction_id = await make_unknown(world, steps)
    await owner.execute("UPDATE payments.instruction SET sent_at = now() - interval '5 seconds'")

    async def slow(_: UUID) -> Answer:
        await steps.resend(instruction_id)
        await steps.hear([(instruction_id, SILENCE)])
        await owner.execute(
            "UPDATE payments.instruction SET sent_at = now() - interval '5 seconds'"
        )
        return NOT_KNOWN

    script.on_ask = slow
    await due_now(owner)
    await steps.step("inquire-mekong")
    assert script.sent == []
    assert await world.count("unknown") == 1
