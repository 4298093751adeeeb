"""Every state has one writer, and that writer makes the legal moves and no other."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from typing import TypeVar
from uuid import UUID

import asyncpg
import pytest

from services.payments.chunks import states as chunk_states
from services.payments.chunks.repository import move_chunks
from services.payments.chunks.states import ChunkStatus
from services.payments.instructions import states as instruction_states
from services.payments.instructions.moves import Move
from services.payments.instructions.states import Status
from services.payments.rounds import states as round_states
from services.payments.rounds.repository import IllegalMove, move_round
from services.payments.rounds.states import RoundStatus
from services.payments.webhooks import states as webhook_states
from services.payments.webhooks.repository import WebhookMove, move_webhooks
from services.payments.webhooks.states import WebhookStatus
from shared.ids import new_id
from tests.hearing import hear
from tests.payments.conftest import World, entitlements
from tests.payments.steps import Steps

NOW = datetime(2020, 10, 12, tzinfo=UTC)

State = TypeVar("State", bound=StrEnum)


def every_pair(states: Iterable[State]) -> list[tuple[State, State]]:
    known = list(states)
    return list(product(known, known))


@pytest.mark.parametrize(
    ("states", "moves"),
    [
        (ChunkStatus, chunk_states.MOVES),
        (RoundStatus, round_states.MOVES),
        (WebhookStatus, webhook_states.MOVES),
        (Status, instruction_states.MOVES),
    ],
)
def test_every_state_can_be_reached(
    states: Sequence[StrEnum], moves: Collection[tuple[StrEnum, StrEnum]]
) -> None:
    first = next(iter(states))
    reached = {first}
    while more := {after for before, after in moves if before in reached} - reached:
        reached |= more
    assert reached == set(states)


async def announced(world: World, steps: Steps) -> None:
    """One chunk of one round, neither of them decided on."""
    await world.registry.announce_chunk(entitlements(1, provider="mekong"))
    await hear(steps.worker, "payments")


async def test_a_chunk_moves_as_its_table_says_and_not_otherwise(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await announced(world, steps)
    number = await owner.fetchval("SELECT number FROM payments.chunk")
    for before, after in every_pair(ChunkStatus):
        await owner.execute(
            "UPDATE payments.chunk SET status = $1::text::payments.chunk_status", before.value
        )
        async with steps.wiring.database.transaction() as session:
            moved = await move_chunks(session, [number], after, at=NOW, reason="a test")
        legal = (before, after) in chunk_states.MOVES
        assert moved == ({number} if legal else set()), (before, after)
        left = await owner.fetchval("SELECT status::text FROM payments.chunk")
        assert left == (after if legal else before)


async def test_a_round_moves_as_its_table_says_and_not_otherwise(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await announced(world, steps)
    number = await owner.fetchval("SELECT number FROM payments.payment_round")
    for before, after in every_pair(RoundStatus):
        await owner.execute(
            "UPDATE payments.payment_round SET status = $1::text::payments.round_status",
            before.value,
        )
        legal = (before, after) in round_states.MOVES
        async with steps.wiring.database.transaction() as session:
            if legal:
                await move_round(session, number, after, at=NOW, reason=None)
            else:
                with pytest.raises(IllegalMove, match=f"Round {number} is not in a state"):
                    await move_round(session, number, after, at=NOW, reason=None)
        left = await owner.fetchval("SELECT status::text FROM payments.payment_round")
        assert left == (after if legal else before)


async def test_a_callback_moves_as_its_table_says_and_not_otherwise(
    steps: Steps, owner: asyncpg.Connection
) -> None:
    webhook_id: UUID = await owner.fetchval(
        "INSERT INTO payments.webhook (provider_number, webhook_id, body_sealed, status) "
        "VALUES (1, 'message', '', 'received') RETURNING id"
    )
    about = new_id()
    for before, after in every_pair(WebhookStatus):
        await owner.execute(
            "UPDATE payments.webhook SET status = $1::text::payments.webhook_status, "
            "instruction_id = $2, reason = 'before'",
            before.value,
            about,
        )
        async with steps.wiring.database.transaction() as session:
            moved = await move_webhooks(
                session, [WebhookMove(webhook_id, after, "after", instruction_id=about)]
            )
        legal = (before, after) in webhook_states.MOVES
        assert moved == ({webhook_id} if legal else set()), (before, after)
        left = await owner.fetchrow(
            "SELECT status::text AS status, reason, instruction_id FROM payments.webhook"
        )
        assert left["status"] == (after if legal else before)
        # What is received again keeps what was learnt of it.
        learnt = legal and after is not WebhookStatus.RECEIVED
        assert (left["reason"], left["instruction_id"]) == ("after" if learnt else "before", about)


async def test_an_instruction_makes_no_move_that_its_table_does_not_name(
    world: World, steps: Steps, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(1, provider="mekong"))
    await steps.raise_announced()
    instruction_id: UUID = await owner.fetchval("SELECT id FROM payments.instruction")
    for before, after in every_pair(Status):
        if (before, after) in instruction_states.MOVES:
            continue
        await owner.execute(
            "UPDATE payments.instruction SET status = $1::text::payments.instruction_status",
            before.value,
        )
        async with steps.wiring.database.transaction() as session:
            moved = await steps.wiring.moves.make(
                session, [Move(instruction_id, after)], actor="test"
            )
        assert moved == set(), (before, after)
        left = await owner.fetchval("SELECT status::text FROM payments.instruction")
        assert left == before
    assert await owner.fetchval("SELECT count(*) FROM payments.instruction_move") == 0
