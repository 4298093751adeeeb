"""What was raised before a migration is carried over by it, and goes on."""

import asyncpg
from alembic import command

from tests.payments.conftest import World, entitlements
from tests.payments.steps import SILENCE, Steps, paid, running_steps
from tests.revisions import at_revision

BEFORE = "0002"
ANSWERS = "0004"

_KEPT = {
    "instruction": "id, entitlement_id, chunk_number, status, attempt",
    "chunk": "number, chunk_id, round_number, status, entitlement_count, total_minor",
    "payment_round": "number, enrolment_id, round, status, reserved_minor",
}


async def everything(owner: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    return {
        table: await owner.fetch(f"SELECT {columns} FROM payments.{table} ORDER BY 1")
        for table, columns in _KEPT.items()
    }


async def test_what_was_raised_is_carried_over_and_paid(
    world: World, owner: asyncpg.Connection, database_url: str, steps: Steps
) -> None:
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(3))
    await steps.raise_announced()
    await owner.execute(
        "UPDATE events.event SET subject = data ->> 'chunk_id' "
        "WHERE type = 'org.sangkroh.entitlements-ready.v1'"
    )
    stored = await everything(owner)
    [event] = await owner.fetch(
        "SELECT epoch, uuid_extract_timestamp(id) AS told_at FROM events.event "
        "WHERE type = 'org.sangkroh.entitlements-ready.v1'"
    )
    await steps.worker.database.dispose()
    await at_revision(database_url, "payments", command.downgrade, "0002")
    await owner.reload_schema_state()
    assert await everything(owner) == stored
    await at_revision(database_url, "payments", command.upgrade, "head")
    await owner.reload_schema_state()
    assert await everything(owner) == stored
    assert await owner.fetch("SELECT epoch, told_at FROM payments.chunk") == [event]
    async with running_steps(world.settings) as after:
        assert len(await after.pay_all()) == 3
        await after.close_all()
    assert {end for end, _ in (await world.outcomes(announced)).values()} == {"paid"}
    await world.proofs()


async def test_payments_of_before_keep_what_was_recorded_of_them(
    world: World, steps: Steps, owner: asyncpg.Connection, environment: dict[str, str]
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(4, provider="mekong"))
    await steps.raise_announced()
    first, second, waiting, resent = [order.instruction_id for order in await steps.claim()]
    await steps.hear([(first, paid(first)), (second, paid(second))])
    await steps.hear([(waiting, SILENCE), (resent, SILENCE)])
    assert await steps.resend(resent)
    url = environment["DATABASE_URL"]
    await at_revision(url, "payments", command.downgrade, BEFORE)
    # Nothing kept a provider from giving two payments one reference.
    await owner.execute(
        "UPDATE payments.instruction SET transaction_reference = 'same', "
        "finished_at = finished_at + CASE id WHEN $1 THEN interval '1 hour' ELSE '0' END "
        "WHERE status = 'settled'",
        second,
    )
    await at_revision(url, "payments", command.upgrade, ANSWERS)
    references = {
        row["id"]: row["transaction_reference"]
        for row in await owner.fetch("SELECT id, transaction_reference FROM payments.instruction")
    }
    assert (references[first], references[second]) == ("same", None)
    alarm = await owner.fetchrow("SELECT instruction_id, kind::text, detail FROM payments.alarm")
    assert (alarm["instruction_id"], alarm["kind"]) == (second, "different_payment")
    assert "the reference same, which another settled payment has" in alarm["detail"]
    # When it was sent first is known of what was sent once.
    sent = {
        row["id"]: (row["first_sent_at"], row["sent_at"])
        for row in await owner.fetch("SELECT id, first_sent_at, sent_at FROM payments.instruction")
    }
    assert sent[waiting][0] == sent[waiting][1] is not None
    assert sent[resent][0] is None
    # A copy of what was running before goes on with it.
    await at_revision(url, "payments", command.upgrade, "head")
    await world.proofs()
    assert await world.count("settled") == 2
