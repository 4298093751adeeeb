"""What suspicions cost a chunk grows with its households, however many are suspected elsewhere."""

import pytest

from services.registry.duplicates.holding.repository import LOCK_OF_CHUNK, SET_ASIDE
from services.registry.settings import DuplicatesSettings
from shared.database import Database, plan_anew
from shared.worker import Worker
from tests.plans import rows_passed
from tests.registry.flow import BATTAMBANG, Flow, rows
from tests.registry.suspects import work

_HOUSEHOLDS = 40
_ELSEWHERE = 20_000
_ROWS_A_HOUSEHOLD = 40
"""Far more than the plans' nodes pass on for each, and far less than all suspicions for each."""


@pytest.mark.parametrize("looked_at", [None, "before there were any"])
async def test_a_chunk_looks_at_what_is_suspected_of_its_own_households(
    looked_at: str | None, flow: Flow, worker: Worker
) -> None:
    await flow.owner.execute(
        "ALTER TABLE registry.duplicate_suspect SET (autovacuum_enabled = false)"
    )
    if looked_at == "before there were any":
        await flow.owner.execute("VACUUM (ANALYZE) registry.duplicate_suspect")
    await flow.post_scheme()
    await flow.register(rows(_HOUSEHOLDS))
    activation_id = await flow.open(BATTAMBANG)
    await work(worker)
    await flow.owner.execute(
        """
        INSERT INTO registry.duplicate_suspect
            (id, first_household_id, second_household_id, found_at, exact_score, likeness_score,
             is_whole, exact_grounds, likeness_grounds)
        SELECT uuidv7(), uuidv7(), uuidv7(), now(), 990, 0, true, '{id-number}', '{}'
        FROM generate_series(1, $1)
        """,
        _ELSEWHERE,
    )
    chunk_id, round_number = await flow.owner.fetchrow(
        "SELECT chunk_id, round FROM registry.entitlement WHERE activation_id = $1", activation_id
    )
    ids = await flow.owner.fetch("SELECT household_id FROM registry.entitlement")
    database = Database(DuplicatesSettings().database_url, application_name="test")
    try:
        async with database.transaction() as session:
            await plan_anew(session)
            of_chunk = {"chunk_id": chunk_id}
            locking = await rows_passed(
                session,
                LOCK_OF_CHUNK,
                {**of_chunk, "activation_id": activation_id, "round": round_number},
            )
            setting_aside = await rows_passed(
                session, SET_ASIDE, {**of_chunk, "household_ids": [row[0] for row in ids]}
            )
    finally:
        await database.dispose()

    assert len(ids) == _HOUSEHOLDS
    assert locking < _HOUSEHOLDS * _ROWS_A_HOUSEHOLD
    assert setting_aside < _HOUSEHOLDS * _ROWS_A_HOUSEHOLD
