"""What the worker's loops ask, all at once: whether each may have something to do.

That none is passed over which would do something is held against every step of the other tests
(``tests.payments.steps``).
"""

import asyncpg

from services.payments.looks.statements import QUESTIONS
from tests.payments.announcing import Entitlement
from tests.payments.conftest import World
from tests.payments.holding import released
from tests.payments.steps import Steps


async def so(owner: asyncpg.Connection) -> set[str]:
    """Whose question is true."""
    return {name for name, asked in QUESTIONS.items() if await owner.fetchval(f"SELECT {asked}")}


async def test_where_there_is_nothing_to_do_there_is_nothing_to_look_at(
    world: World, owner: asyncpg.Connection
) -> None:
    assert await so(owner) == set()


async def test_once_all_is_paid_nobody_looks_any_more(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(20_000_000)
    await released(world, steps, Entitlement("+85512000001"))
    # Whoever sends, and whoever closes what has ended.
    assert await so(owner) == {"send", "send-batches", "close"}
    assert len(await steps.pay_all()) == 1
    await steps.close_all()
    assert await so(owner) == set()
