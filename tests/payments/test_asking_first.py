"""After the database lost what it had said, what may have been sent is asked about, not sent."""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from services.payments.answers.recording import Recorded
from services.payments.providers.answers import Answer
from shared.ids import instruction_id
from tests.payments.announcing import Entitlement
from tests.payments.conftest import StartSandbox, World, entitlements
from tests.payments.steps import REJECTED, Steps, paid
from tests.server import eventually


async def begin_an_epoch(owner: asyncpg.Connection) -> None:
    """As a lossy failover does."""
    columns = await owner.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = "
        "'events.epoch'::regclass AND attnum > 0 AND attname NOT IN ('number', 'begun_at')"
    )
    await owner.execute(
        f"INSERT INTO events.epoch (number, {columns}) SELECT number + 1, {columns} "
        "FROM events.epoch ORDER BY number DESC LIMIT 1"
    )


_LEDGER = "SELECT id, debits_minor, credits_minor FROM payments.account"


async def lose_since(
    owner: asyncpg.Connection, *, accounts: Sequence[asyncpg.Record], cursor: asyncpg.Record
) -> None:
    """Take payments back to where it had read nothing: what it raised, sent and posted is gone."""
    await owner.execute(
        "DELETE FROM payments.transfer WHERE payment_instruction_id IS NOT NULL "
        "OR entry_number IS NOT NULL OR round_number IS NOT NULL"
    )
    await owner.executemany(
        "UPDATE payments.account SET debits_minor = $2, credits_minor = $3 WHERE id = $1",
        [tuple(account) for account in accounts],
    )
    await owner.execute(
        "TRUNCATE payments.instruction, payments.instruction_move, payments.journal_entry, "
        "payments.set_aside, "
        "payments.chunk, payments.payment_round, payments.alarm, payments.webhook"
    )
    await owner.execute(
        "UPDATE payments.event_cursor SET epoch = $1, transaction_id = $2::text::xid8, "
        "sequence = $3",
        cursor["epoch"],
        cursor["transaction_id"],
        cursor["sequence"],
    )


async def cursor_of(owner: asyncpg.Connection) -> asyncpg.Record:
    return await owner.fetchrow(
        "SELECT epoch, transaction_id::text AS transaction_id, sequence FROM payments.event_cursor"
    )


async def has_read(owner: asyncpg.Connection) -> bool:
    return bool(await owner.fetchval("SELECT EXISTS (SELECT FROM payments.event_cursor)"))


def accounts_paid(book: dict[str, dict[str, str]]) -> list[str]:
    return sorted(row["account"] for row in book.values())


def accounts_of(owed: Sequence[Entitlement]) -> list[str]:
    return sorted(entitlement.account for entitlement in owed)


async def test_a_lost_suffix_pays_no_account_twice(
    world: World, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(10_000_000)
    async with world.working():
        await eventually(partial(has_read, world.owner))
    accounts, cursor = await world.owner.fetch(_LEDGER), await cursor_of(world.owner)
    owed = entitlements(20)
    async with world.working():
        announced = await world.registry.announce(owed)
        await world.until_chunk(announced, "settled")
    assert accounts_paid(sandbox.book()) == accounts_of(owed)
    await lose_since(world.owner, accounts=accounts, cursor=cursor)
    await begin_an_epoch(world.owner)
    async with world.working():
        await world.until_chunk(announced, "settled")
    book = sandbox.book()
    assert accounts_paid(book) == accounts_of(owed)
    moves = await world.owner.fetch(
        "SELECT DISTINCT from_status::text, to_status::text, actor, reason "
        "FROM payments.instruction_move JOIN payments.journal_entry ON number = entry_number "
        "WHERE from_status = 'ready'"
    )
    assert [tuple(move) for move in moves] == [
        ("ready", "unknown", "asking-first", "may_have_been_sent")
    ]
    assert not await world.owner.fetchval(
        "SELECT EXISTS (SELECT FROM payments.instruction_move WHERE to_status = 'sending')"
    )


async def test_what_was_announced_in_an_earlier_epoch_is_not_claimed_but_asked_about(
    world: World, steps: Steps
) -> None:
    # The float of a provider bears two of its payments.
    await world.fund(10_000_000, prefund_minor=2 * 96_000)
    owed = entitlements(3, provider="mekong")
    await world.registry.announce(owed)
    await steps.raise_announced()
    await begin_an_epoch(world.owner)
    assert await steps.claim() == []
    assert await steps.step("ask-first-mekong") == 2
    assert await steps.step("ask-first-mekong") == 0
    assert (await world.count("unknown"), await world.count("ready")) == (2, 1)
    rows = await world.owner.fetch(
        "SELECT instruction.id, first_sent_at = told_at AS sent_first_when_it_was_told, "
        "sent_at > clock_timestamp() - interval '1 minute' AS sent_last_just_now "
        "FROM payments.instruction JOIN payments.chunk ON chunk.number = chunk_number "
        "WHERE instruction.status = 'unknown'"
    )
    # It may have been sent at any time between: both count against sending it again.
    assert [tuple(row)[1:] for row in rows] == [(True, True)] * 2
    [mekong, _] = (await world.get("/providers"))["items"]
    assert mekong["in_transit_minor"] == 192_000
    ids = [row["id"] for row in rows]
    await steps.hear([(instruction, paid(instruction)) for instruction in ids])
    assert set(ids) < {instruction_id(entitlement.entitlement_id) for entitlement in owed}
    await world.proofs()


async def test_what_is_announced_soon_after_a_loss_is_asked_about_first(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    await begin_an_epoch(world.owner)
    # Announced before, too, for all that is known: that announcement may be what was lost.
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    assert await steps.claim() == []
    assert await steps.step("ask-first-mekong") == 2
    # An announcement's time is that of its id, in milliseconds.
    [sent_first] = await world.owner.fetch(
        "SELECT DISTINCT first_sent_at > epoch.begun_at - interval '1 millisecond' "
        "AND first_sent_at <= epoch.begun_at AS when_it_began "
        "FROM payments.instruction, events.epoch WHERE epoch.number = events.current_epoch()"
    )
    assert sent_first["when_it_began"]


async def test_what_is_announced_long_after_a_loss_is_sent(world: World, steps: Steps) -> None:
    await world.fund(10_000_000)
    await begin_an_epoch(world.owner)
    await world.owner.execute(
        "UPDATE events.epoch SET begun_at = now() - interval '1 hour 1 second'"
    )
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    assert await steps.step("ask-first-mekong") == 0
    assert len(await steps.claim()) == 2


async def test_an_announcement_that_is_heard_in_a_later_epoch_is_of_its_own(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(2, provider="mekong"))
    await begin_an_epoch(world.owner)
    # Announced again since, it may still have been sent before.
    await world.registry.announce_again(announced)
    await steps.raise_announced()
    assert await steps.claim() == []
    assert await steps.step("ask-first-mekong") == 2


async def test_what_may_have_been_sent_is_asked_about_though_its_activation_is_cancelled(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    await begin_an_epoch(world.owner)
    await world.owner.execute(
        "INSERT INTO payments.cancelled_activation VALUES ($1, '2026-01-06', now())",
        announced.activation_id,
    )
    assert await steps.step("cancel") == 0
    assert await steps.step("ask-first-mekong") == 2


@pytest.mark.parametrize("said", [paid, lambda _: REJECTED], ids=["paid", "rejected"])
async def test_what_the_provider_says_it_ended_is_asked_about_and_not_sent(
    world: World, steps: Steps, said: Callable[[UUID], Answer]
) -> None:
    await world.fund(10_000_000)
    owed = entitlements(1, provider="mekong")
    await world.registry.announce(owed)
    await steps.raise_announced()
    told_of = instruction_id(owed[0].entitlement_id)
    assert await steps.hear([(told_of, said(told_of))]) == [Recorded.APPLIED]
    assert await steps.claim() == []
    instruction = await world.get(f"/instructions/{told_of}")
    assert (instruction["status"], instruction["reason"]) == ("unknown", "may_have_been_sent")
    assert (await world.get("/alarms"))["items"] == []
    await steps.hear([(told_of, paid(told_of))])
    assert (await world.get(f"/instructions/{told_of}"))["status"] == "settled"
    await world.proofs()


async def test_what_the_provider_says_of_a_round_that_is_not_released_waits(
    world: World, steps: Steps
) -> None:
    owed = entitlements(1, provider="mekong")
    await world.registry.announce(owed)
    await steps.raise_announced()
    told_of = instruction_id(owed[0].entitlement_id)
    assert await steps.hear([(told_of, paid(told_of))]) == [Recorded.BLOCKED]
    assert (await world.get(f"/instructions/{told_of}"))["status"] == "ready"
    await world.fund(10_000_000)
    await steps.raise_announced()
    await world.owner.execute("UPDATE payments.answer SET try_at = clock_timestamp()")
    await steps.step("apply-answers")
    assert (await world.get(f"/instructions/{told_of}"))["status"] == "unknown"
    await world.proofs()
