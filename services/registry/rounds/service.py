"""Showing rounds, and releasing those that are due."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation, require_not_cancelled
from services.registry.chunks.planning import plan_later_round
from services.registry.rounds import repository
from services.registry.rounds.schemas import RoundOut, RoundStatus
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


async def list_rounds(
    session: AsyncSession, activation_id: UUID, *, clock: Clock
) -> list[RoundOut]:
    """Every round of an activation; raises NotFound."""
    await get_activation(session, activation_id)
    rows = await repository.list_rounds(session, activation_id)
    return [_shown(row, today=clock.today()) for row in rows]


async def release_round(
    session: AsyncSession, activation_id: UUID, number: int, *, caller: Caller, clock: Clock
) -> RoundOut:
    """Release a later round: its entitlements are worked out from the enrolments at once.

    Payments of the round before that are still on their way, or failed, do not hold it back: one
    account that a provider is slow with must not keep a country waiting. Chunks of it that are
    still being worked out do, since they say who is enrolled.
    """
    rounds = await activations.lock_rounds(session, activation_id)
    if number not in rounds:
        raise NotFound(
            "There is no such activation, or no such round of it. "
            f"GET /v1/activations/{activation_id}/rounds lists them."
        )
    require_not_cancelled(await get_activation(session, activation_id))
    wanted = rounds[number]
    if wanted.released_at is not None:
        raise Conflict(f"Round {number} was released already, by {wanted.released_by}.")
    if clock.today() < wanted.due_on:
        raise Conflict(f"Round {number} is due on {wanted.due_on}. Release it then.")
    before = await _round(session, activation_id, number - 1, clock=clock)
    if before.released_at is None:
        raise Conflict(f"Round {number - 1} comes first, and is not released yet.")
    if before.chunks_done < before.chunks_planned:
        raise Conflict(
            f"Round {number - 1} is still being worked out: {before.chunks_done} of "
            f"{before.chunks_planned} chunks are done. Try again when all are."
        )
    await activations.mark_released(
        session, activation_id, number, by=caller.subject, at=clock.now()
    )
    await plan_later_round(session, activation_id=activation_id, round_number=number, clock=clock)
    return await _round(session, activation_id, number, clock=clock)


async def _round(
    session: AsyncSession, activation_id: UUID, number: int, *, clock: Clock
) -> RoundOut:
    rows = await repository.list_rounds(session, activation_id)
    return next(_shown(row, today=clock.today()) for row in rows if row.number == number)


def _shown(row: Row[Any], *, today: date) -> RoundOut:
    fields = row._asdict()
    chunks_open = fields.pop("chunks_open")
    if row.released_at is None:
        status = RoundStatus.DUE if row.due_on <= today else RoundStatus.SCHEDULED
    elif chunks_open:
        status = RoundStatus.RELEASED
    else:
        status = RoundStatus.FINISHED
    return RoundOut(status=status, **fields)
