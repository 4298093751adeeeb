"""Activations, the communes that they reach, and their rounds, in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation, ActivationCommune, PaymentRound

_REACH = text(
    """
    INSERT INTO registry.activation_commune (activation_id, area_code, enrolment_run_id)
    SELECT :activation_id, commune, :run_id FROM unnest(CAST(:communes AS text[])) AS commune
    """
)


async def add_activation(session: AsyncSession, **fields: Any) -> None:
    """Keep an activation that opened; ``fields`` are the table's columns."""
    await session.execute(insert(Activation).values(fields))


async def find_activation(session: AsyncSession, activation_id: UUID) -> Activation | None:
    """The activation with this id."""
    return await session.scalar(select(Activation).where(Activation.id == activation_id))


async def list_activations(
    session: AsyncSession, *, scheme: str | None, before: UUID | None, limit: int
) -> list[Activation]:
    """Activations, the newest first, before one id."""
    query = select(Activation)
    if scheme is not None:
        query = query.where(Activation.scheme_code == scheme)
    if before is not None:
        query = query.where(Activation.id < before)
    return list((await session.scalars(query.order_by(Activation.id.desc()).limit(limit))).all())


async def name_areas(session: AsyncSession, activation_id: UUID, areas: Sequence[str]) -> None:
    """Keep which areas the activation was announced for."""
    await session.execute(
        update(Activation).where(Activation.id == activation_id).values(areas=list(areas))
    )


async def reached_communes(session: AsyncSession, activation_id: UUID) -> frozenset[str]:
    """The communes that an activation reaches already."""
    rows = await session.scalars(
        select(ActivationCommune.area_code).where(ActivationCommune.activation_id == activation_id)
    )
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
