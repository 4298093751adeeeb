"""How far an activation is."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.progress import repository
from services.payments.progress.standing import (
    DISTRICT_DIGITS,
    PACE_SECONDS,
    Announced,
    Counted,
    Paused,
    Standing,
)
from services.payments.rounds.states import RoundStatus
from shared.auth import Caller
from shared.bounds import Bound
from shared.errors import Forbidden, NotFound


async def read_standing(session: AsyncSession, activation_id: UUID) -> Standing:
    """An activation's counts, all of one moment; raises NotFound.

    The session has read nothing yet.
    """
    await repository.begin(session)
    announced = await repository.announced_of(session, activation_id)
    if not announced:
        raise _not_announced()
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


def districts_of(caller: Caller) -> Bound:
    """Of which districts progress is told to a caller; raises Forbidden for communes."""
    if any(len(code) > DISTRICT_DIGITS for code in caller.areas or ()):
        raise Forbidden(
            "Progress is counted by district, and the token is bound to communes. GET "
            "/v1/instructions lists the payments there."
        )
    return caller.areas


def narrow(standing: Standing, bound: Bound) -> Standing:
    """What is counted of it in a caller's districts; raises NotFound where nothing is."""
    theirs = standing.within(bound)
    if bound is not None and not theirs.counts:
        raise _not_announced()
    return theirs


def _not_announced() -> NotFound:
    return NotFound("Nothing of this activation was announced here yet. GET /v1/rounds lists all.")
