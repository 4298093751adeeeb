"""What a batch costs grows with its lines, however little the planner knows of the payments."""

import asyncpg
import pytest
from sqlalchemy import text

from services.payments.batches.statements import STAGING, end_lines, make_batch
from services.payments.providers.batches import ResultKind
from services.payments.unresolved.kinds import UnresolvedKind
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.statements import ROWS
from shared.ids import new_id
from tests.payments.batch_provider import BatchProvider, provider
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps
from tests.plans import rows_passed

__all__ = ["provider"]

_LINES = 400
_ROWS_A_LINE = 40
"""Far more than the plans' nodes pass on for each line, and far less than all lines for each."""

_STAGE = text(
    """
    INSERT INTO batch_result (instruction_id, transaction_reference)
    SELECT id, 'MK-' || row_number() OVER () FROM payments.instruction
    WHERE batch_number = :number
    """
)


@pytest.mark.parametrize("looked_at", [None, "before there were any", "before they were sent"])
async def test_the_work_for_a_line_does_not_grow_with_the_lines(
    looked_at: str | None,
    provider: BatchProvider,
    world: World,
    steps: Steps,
    owner: asyncpg.Connection,
) -> None:
    await owner.execute("ALTER TABLE payments.instruction SET (autovacuum_enabled = false)")
    await world.fund(10**9)
    if looked_at == "before there were any":
        await owner.execute("VACUUM (ANALYZE) payments.instruction")
    await world.registry.announce(entitlements(_LINES, provider="mekong"))
    await steps.raise_announced()
    if looked_at == "before they were sent":
        await owner.execute("VACUUM (ANALYZE) payments.instruction")
    wiring = steps.wiring
    given = {
        "provider": "mekong",
        "provider_number": await wiring.directory.number_of("mekong"),
        "size": _LINES,
        "most_minor": None,
        "most_open": 1,
        "beside": False,
        "batch_id": new_id(),
        "batch_lease_seconds": 60,
        "actor": "test",
        "at": wiring.clock.now(),
    }
    async with wiring.database.transaction() as session:
        claiming = await rows_passed(session, make_batch(wiring.moves.waits), given)
        young = await rows_passed(
            session,
            text(f"SELECT count(*) FROM ({ROWS[UnresolvedKind.UNKNOWN_TOO_LONG]}) AS found"),
            {"now": wiring.clock.now(), **Limits.of(wiring.settings).given()},
        )
        number = await session.scalar(text("SELECT max(number) FROM payments.batch"))
        await session.execute(STAGING)
        await session.execute(_STAGE, {"number": number})
        settling = await rows_passed(
            session,
            end_lines(wiring.moves.waits)[ResultKind.COMPLETIONS],
            {"number": number, "actor": "test", "at": wiring.clock.now()},
        )

    assert (
        await owner.fetchval("SELECT count(*) FROM payments.instruction WHERE status = 'settled'")
        == _LINES
    )
    assert claiming < _LINES * _ROWS_A_LINE
    # Of what was released a moment ago nothing is looked at for having no end for too long.
    assert young < _LINES
    assert settling < _LINES * _ROWS_A_LINE
