"""Several persons send statements of one day at the same time: one holds, and nothing is lost."""

import asyncio

import asyncpg
import pytest

from tests.payments.conftest import World
from tests.payments.statement_files import Line, lines_of, mapped, ordered, send, written
from tests.payments.steps import Steps, paid


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Room for all of them."""
    changed = {
        "PAYMENTS_STATEMENTS_AT_ONCE": "8",
        "PAYMENTS_PLACE_WAIT_SECONDS": "60",
        "PAYMENTS_DATABASE_POOL_WAIT_SECONDS": "60",
    }
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    return {**environment, **changed}


async def test_one_of_several_statements_holds_and_suspense_is_its_own(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    await mapped(world)
    orders = await ordered(world, steps, 2)
    await steps.hear([(order.instruction_id, paid(order.instruction_id)) for order in orders])
    contents = [
        written([*lines_of(orders), Line(None, 100 + number, f"MK-{number}")])
        for number in range(4)
    ]
    taken = await asyncio.gather(
        *(
            send(world, content, by=f"person-{number}@nspc.example")
            for number, content in enumerate([*contents, *contents])
        )
    )
    assert len({each["id"] for each in taken}) == 4
    statements = (await world.get("/statements"))["items"]
    assert len(statements) == 4
    [current] = [each for each in statements if each["superseded_by"] is None]
    assert current["id"] == statements[0]["id"]
    assert await owner.fetchval("SELECT count(*) FROM payments.statement_line") == 12
    suspense = await owner.fetchval(
        "SELECT debits_minor - credits_minor FROM payments.account "
        "WHERE code = 'SUSPENSE' AND scope = 'mekong'"
    )
    found = await world.get("/differences", statement_id=current["id"], kind="unknown_payment")
    assert suspense == sum(each["suspense_minor"] for each in found["items"]) >= 100
    await world.proofs()


async def test_no_more_are_read_at_once_than_memory_is_kept_for(world: World) -> None:
    await mapped(world)
    content = written([Line(None, 100, "MK-1")])
    app = world.service.app
    async with app.state.statement_places.held("treasurer@nspc.example"):
        waiting = asyncio.create_task(send(world, content))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (await waiting)["line_count"] == 1
