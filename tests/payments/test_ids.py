"""What a provider gets to see follows from what it pays: in SQL as in Python, always the same."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.ids import INSTRUCTION_ID, instruction_id
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps

_BY_SQL = f"""
    SELECT {
    INSTRUCTION_ID.format(
        entitlement_id="entitlement_id", announcement="announcement", attempt="attempt"
    )
} AS id
    FROM unnest($1::uuid[], $2::smallint[], $3::smallint[])
        WITH ORDINALITY AS named (entitlement_id, announcement, attempt, position)
    ORDER BY position
"""

numbers = some.integers(min_value=1, max_value=2**15 - 1)
attempts = some.lists(some.tuples(some.uuids(), numbers, numbers), min_size=1, max_size=200)


async def by_sql(url: str, named: Sequence[tuple[UUID, int, int]]) -> list[UUID]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch(
            _BY_SQL, *(list(column) for column in zip(*named, strict=True))
        )
    finally:
        await connection.close()
    return [row["id"] for row in rows]


def test_sql_and_python_name_an_attempt_alike(database_url: str) -> None:
    @settings(max_examples=40)
    @given(attempts)
    def alike(named: list[tuple[UUID, int, int]]) -> None:
        expected = [
            instruction_id(entitlement_id, announcement=announcement, attempt=attempt)
            for entitlement_id, announcement, attempt in named
        ]
        assert asyncio.run(by_sql(database_url, named)) == expected
        assert len(set(expected)) == len(set(named))

    alike()


async def test_an_instruction_bears_the_id_of_its_entitlement_announcement_and_attempt(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [first, later] = [*entitlements(1), *entitlements(1, announcement=3)]
    await world.registry.announce([first, later])
    await steps.raise_announced()
    orders = await steps.claim()
    assert {order.instruction_id for order in orders} == {
        instruction_id(first.entitlement_id),
        instruction_id(later.entitlement_id, announcement=3),
    }
    await steps.hear([(order.instruction_id, REJECTED) for order in orders])
    again = await world.post(
        f"/instructions/{instruction_id(later.entitlement_id, announcement=3)}/attempts",
        {"reason": "the account was opened"},
    )
    assert (again["announcement"], again["attempt"]) == (3, 2)
    assert again["id"] == str(instruction_id(later.entitlement_id, announcement=3, attempt=2))


async def test_what_was_raised_and_lost_is_raised_again_under_the_same_ids(
    world: World, steps: Steps
) -> None:
    owed = entitlements(5)
    await world.registry.announce(owed)
    await steps.raise_announced()
    before = await world.owner.fetch("SELECT id, entitlement_id FROM payments.instruction")
    await world.owner.execute(
        "TRUNCATE payments.instruction, payments.chunk, payments.payment_round, payments.set_aside"
    )
    await world.owner.execute("UPDATE payments.event_cursor SET transaction_id = '0', sequence = 0")
    await steps.raise_announced()
    after = await world.owner.fetch("SELECT id, entitlement_id FROM payments.instruction")
    assert sorted(map(tuple, after)) == sorted(map(tuple, before))
    assert len(after) == 5
