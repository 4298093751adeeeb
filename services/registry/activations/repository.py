"""Activations, the communes that they reach, and their rounds, in the database."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation, PaymentRound
from shared.bounds import Bound, within_text

_REACH = text(
    """
    INSERT INTO registry.activation_commune (activation_id, area_code, enrolment_run_id, edition)
    SELECT :activation_id, commune, :run_id,
        coalesce((SELECT max(number) FROM registry.gazetteer_edition), 1)
    FROM unnest(CAST(:communes AS text[])) AS commune
    ON CONFLICT (activation_id, area_code) DO UPDATE
    SET enrolment_run_id = excluded.enrolment_run_id, edition = excluded.edition
    """
)

# A later edition may have brought others into a commune, whom the activation did not reach.
_REACHED = text(
    """
    SELECT reached.area_code
    FROM registry.activation_commune AS reached
    WHERE reached.activation_id = :activation_id AND NOT EXISTS (
        SELECT FROM registry.area_change AS came
        JOIN registry.gazetteer_edition AS edition ON edition.code = came.edition
        WHERE came.to_code = reached.area_code AND came.from_code <> came.to_code
          AND edition.number > reached.edition
          AND NOT EXISTS (
              SELECT FROM registry.activation_commune AS before
              WHERE before.activation_id = reached.activation_id
                AND before.area_code = came.from_code))
    """
)

_REACHES_THEM = text(
    f"""
    EXISTS (
        SELECT FROM registry.activation_commune AS reached
        WHERE reached.activation_id = activation.id AND {within_text("reached.area_code")})
    """
)

# A village that is there stays too small to enrol in.
_REFUSED_IS_THERE_NOW = """
    EXISTS (
        SELECT FROM jsonb_object_keys(activation.areas_refused) AS refused
        JOIN registry.area ON area.code = refused AND area.level <> 'village'
    )
"""


async def add_activation(session: AsyncSession, **fields: Any) -> None:
    """Keep an activation that opened; ``fields`` are the table's columns."""
    await session.execute(insert(Activation).values(fields))


async def find_activation(session: AsyncSession, activation_id: UUID) -> Activation | None:
    """The activation with this id."""
    return await session.scalar(select(Activation).where(Activation.id == activation_id))


async def lock_activation(session: AsyncSession, activation_id: UUID) -> Activation | None:
    """The activation with this id, for this transaction alone until it ends."""
    return await session.scalar(
        select(Activation)
        .where(Activation.id == activation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def list_activations(
    session: AsyncSession,
    *,
    scheme: str | None,
    bound: Bound = None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Activation]:
    """Activations, the latest to arrive first, before one of them; of a caller's areas, those
    that reach them."""
    place = tuple_(Activation.received_at, Activation.id)
    query = select(Activation)
    if bound is not None:
        query = query.where(_REACHES_THEM.bindparams(bound=list(bound)))
    if scheme is not None:
        query = query.where(Activation.scheme_code == scheme)
    if before is not None:
        query = query.where(place < before)
    query = query.order_by(Activation.received_at.desc(), Activation.id.desc())
    return list((await session.scalars(query.limit(limit))).all())


async def list_waiting(session: AsyncSession, *, limit: int) -> list[UUID]:
    """Activations for which nobody could be enrolled yet, or not everywhere: the latest first."""
    waits = or_(Activation.not_enrolled.is_not(None), text(_REFUSED_IS_THERE_NOW))
    rows = await session.scalars(
        select(Activation.id)
        .where(waits, Activation.cancelled_on.is_(None))
        .order_by(Activation.received_at.desc())
        .limit(limit)
    )
    return list(rows.all())


async def change(session: AsyncSession, activation_id: UUID, **fields: Any) -> None:
    """Keep what became of an activation; ``fields`` are the table's columns."""
    await session.execute(
        update(Activation)
        .where(Activation.id == activation_id)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def cancel(session: AsyncSession, activation_id: UUID, *, on: date) -> bool:
    """Keep that an activation was cancelled, the first day for good; whether there is such."""
    found = await session.scalar(
        update(Activation)
        .where(Activation.id == activation_id)
        .values(cancelled_on=func.coalesce(Activation.cancelled_on, on))
        .returning(Activation.id)
        .execution_options(synchronize_session=False)
    )
    return found is not None


async def reached_communes(session: AsyncSession, activation_id: UUID) -> frozenset[str]:
    """The communes that an activation reaches already."""
    rows = await session.scalars(_REACHED, {"activation_id": activation_id})
    return frozenset(rows.all())


async def reach_communes(
    session: AsyncSession, activation_id: UUID, communes: Collection[str], *, run_id: UUID
) -> None:
    """Keep which communes a run of the activation reaches first."""
    await session.execute(
        _REACH,
        {"activation_id": activation_id, "run_id": run_id, "communes": sorted(communes)},
    )


async def add_rounds(session: AsyncSession, rounds: Sequence[dict[str, Any]]) -> None:
    """Keep the rounds of an activation; each is the table's columns."""
    await session.execute(insert(PaymentRound), rounds)


async def lock_rounds(session: AsyncSession, activation_id: UUID) -> dict[int, PaymentRound]:
    """The rounds of an activation by number; until the commit nobody else releases one."""
    rows = await session.scalars(
        select(PaymentRound)
        .where(PaymentRound.activation_id == activation_id)
        .order_by(PaymentRound.number)
        .with_for_update()
    )
    return {payment_round.number: payment_round for payment_round in rows.all()}


async def mark_released(
    session: AsyncSession, activation_id: UUID, number: int, *, by: str, at: datetime
) -> None:
    """Keep who released a round, and when."""
    await session.execute(
        update(PaymentRound)
        .where(PaymentRound.activation_id == activation_id, PaymentRound.number == number)
        .values(released_at=at, released_by=by)
    )


async def who_released(session: AsyncSession, activation_id: UUID, number: int) -> list[str]:
    """Who released a round; empty: nobody yet."""
    rows = await session.scalars(
        select(PaymentRound.released_by).where(
            PaymentRound.activation_id == activation_id,
            PaymentRound.number == number,
            PaymentRound.released_by.is_not(None),
        )
    )
    return [person for person in rows.all() if person is not None]


async def released_later_rounds(session: AsyncSession, activation_id: UUID) -> list[int]:
    """The numbers of the rounds after the first that were released."""
    rows = await session.scalars(
        select(PaymentRound.number)
        .where(
            PaymentRound.activation_id == activation_id,
            PaymentRound.number > 1,
            PaymentRound.released_at.is_not(None),
        )
        .order_by(PaymentRound.number)
    )
    return list(rows.all())
