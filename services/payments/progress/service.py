"""How far an activation is."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.progress import repository
from services.payments.progress.standing import (
    PACE_SECONDS,
    Announced,
    Counted,
    Paused,
    Standing,
)
from services.payments.rounds.states import RoundStatus
from shared.errors import NotFound


async def read_standing(session: AsyncSession, activation_id: UUID) -> Standing:
    """An activation's counts, all of one moment; raises NotFound.

    The session has read nothing yet.
    """
    await repository.begin(session)
    announced = await repository.announced_of(session, activation_id)
    if not announced:
        raise NotFound(
            "Nothing of this activation was announced here yet. GET /v1/rounds lists all."
        )
    pace = await repository.pace_of(session, activation_id, seconds=PACE_SECONDS)
    return Standing(
        at=pace.now,
        announced=[Announced(**row._mapping) for row in announced],
        counts=[
            Counted(
                **{
                    **row._mapping,
                    "round_status": RoundStatus(row.round_status),
                    "status": Status(row.status),
                }
            )
            for row in await repository.counts_of(session, activation_id)
        ],
        pauses=[
            Paused(**row._mapping) for row in await repository.pauses_of(session, activation_id)
        ],
        ended_count=pace.ended_count,
        ended_seconds=pace.seconds,
    )
