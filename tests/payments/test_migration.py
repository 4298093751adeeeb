"""What was raised before a migration is carried over by it, and goes on."""

import asyncpg
from alembic import command

from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps, running_steps
from tests.revisions import at_revision

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


async def test_a_round_that_waited_before_there_were_bounds_is_released_by_two_persons(
    world: World, owner: asyncpg.Connection, database_url: str, steps: Steps
) -> None:
    await world.fund(100_000)
    await world.registry.announce(entitlements(3, provider="mekong"))
    await steps.raise_announced()
    await steps.worker.database.dispose()
    await at_revision(database_url, "payments", command.downgrade, "0008")
    await at_revision(database_url, "payments", command.upgrade, "head")
    await owner.reload_schema_state()
    assert await owner.fetchval("SELECT largest_minor FROM payments.chunk") == 96_000
    async with running_steps(world.settings) as after:
        await world.fund(900_000)
        await after.raise_announced()
        [waiting] = (await world.get("/rounds"))["items"]
        assert waiting["status"] == "unapproved"
        assert await after.claim() == []
        await world.post(f"/rounds/{waiting['number']}/release", {"reason": "It was under way."})
        assert len(await after.claim()) == 3
    await world.proofs()
