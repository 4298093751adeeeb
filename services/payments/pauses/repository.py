"""SQL of pauses: keeping and ending them, and what waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.pauses.tables import Pause
from services.payments.providers.tables import Provider
from services.payments.statements import HEARD_OF, PAUSE_FITS, AnyRow, AnySelect, paged

# What would go but for this pause, unless another one keeps it as well.
_WAITING = text(
    f"""
    SELECT chunk.currency, count(*) AS payments,
        count(DISTINCT instruction.household_id) AS households,
        sum(instruction.amount_minor)::bigint AS amount_minor
    FROM payments.pause
    CROSS JOIN payments.payment_round
    JOIN payments.chunk ON chunk.round_number = payment_round.number
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
    WHERE pause.id = :pause_id AND pause.resumed_at IS NULL
      AND payment_round.status = 'released' AND chunk.status = 'raised'
      AND instruction.status = 'ready' AND NOT instruction.withheld
      AND {PAUSE_FITS}
    GROUP BY chunk.currency
    ORDER BY chunk.currency
    """
)

_HEARD_OF = text(HEARD_OF)

_COUNT_ROUNDS = text(
    """
    SELECT count(*) FROM payments.payment_round, payments.pause
    WHERE pause.id = :pause_id
      AND (pause.scheme IS NULL OR pause.scheme = payment_round.scheme)
      AND (pause.activation_id IS NULL OR pause.activation_id = payment_round.activation_id)
    """
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is paused: all that is not None has to fit."""

    provider_number: int | None
    scheme: str | None
    activation_id: UUID | None
    area_code: str | None


def _select() -> AnySelect:
    return select(
        Pause.id,
        Provider.code.label("provider"),
        Pause.scheme,
        Pause.activation_id,
        Pause.area_code.label("area"),
        Pause.reason,
        Pause.paused_by,
        Pause.paused_at,
        Pause.resumed_at,
    ).outerjoin(Provider, Provider.number == Pause.provider_number)


async def number_of_provider(session: AsyncSession, code: str) -> int | None:
    """A provider's number; None: there is none of that code."""
    return await session.scalar(select(Provider.number).where(Provider.code == code))


async def heard_of(
    session: AsyncSession, *, scheme: str | None, activation_id: UUID | None
) -> AnyRow:
    """Whether there is a round of the ``scheme``, and of the ``activation_id``."""
    given = {"scheme": scheme, "activation_id": activation_id}
    return (await session.execute(_HEARD_OF, given)).one()


async def insert_pause(
    session: AsyncSession, pause_id: UUID, scope: Scope, *, reason: str, by: str, at: datetime
) -> None:
    """From the commit on, no claim takes what it concerns."""
    await session.execute(
        insert(Pause).values(
            id=pause_id,
            provider_number=scope.provider_number,
            scheme=scope.scheme,
            activation_id=scope.activation_id,
            area_code=scope.area_code,
            reason=reason,
            paused_by=by,
            paused_at=at,
        )
    )


async def find_pause(session: AsyncSession, pause_id: UUID) -> AnyRow | None:
    """A pause, in force or ended."""
    return (await session.execute(_select().where(Pause.id == pause_id))).one_or_none()


async def end_pause(session: AsyncSession, pause_id: UUID, *, at: datetime) -> bool:
    """Let go what it kept; whether it was in force."""
    ended = await session.scalar(
        update(Pause)
        .where(Pause.id == pause_id, Pause.resumed_at.is_(None))
        .values(resumed_at=at)
        .returning(Pause.id)
    )
    return ended is not None


async def list_pauses(
    session: AsyncSession, *, after: UUID | None, limit: int, resumed: bool
) -> Sequence[AnyRow]:
    """Pauses in the order in which they were made: in force, or with those that ended."""
    query = _select() if resumed else _select().where(Pause.resumed_at.is_(None))
    return (await session.execute(paged(query, Pause.id, after=after, limit=limit))).all()


async def waiting_for(session: AsyncSession, pause_id: UUID) -> Sequence[AnyRow]:
    """What is released and not sent, and concerned by a pause in force: by currency."""
    return (await session.execute(_WAITING, {"pause_id": pause_id})).all()


async def count_rounds(session: AsyncSession, pause_id: UUID) -> int:
    """How many rounds that were announced here are of a pause's scheme and activation."""
    return int(await session.scalar(_COUNT_ROUNDS, {"pause_id": pause_id}) or 0)
