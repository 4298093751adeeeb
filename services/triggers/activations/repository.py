"""What is asked of the database about activations."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations.states import LIVE, State
from services.triggers.activations.tables import Activation, ActivationArea, ActivationMove
from services.triggers.methods.judgement import Period

_ADD_AREAS = text(
    """
    INSERT INTO triggers.activation_area (activation_id, area_code, added_at, added_by)
    SELECT :activation_id, area_code, :added_at, :added_by
    FROM unnest(CAST(:areas AS text[])) AS area_code
    ON CONFLICT DO NOTHING
    RETURNING area_code
    """
)


async def add_activation(session: AsyncSession, activation: dict[str, object]) -> Activation | None:
    """The new row, or None where the trigger has a live activation already."""
    statement = insert(Activation).values(activation).on_conflict_do_nothing().returning(Activation)
    return (await session.scalars(statement)).one_or_none()


async def taken_ids(session: AsyncSession, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of ``ids`` that an activation has."""
    return frozenset(await session.scalars(select(Activation.id).where(Activation.id.in_(ids))))


async def add_areas(
    session: AsyncSession,
    activation_id: UUID,
    areas: Iterable[str],
    *,
    added_at: datetime,
    added_by: str,
) -> list[str]:
    """Add the areas that the activation does not have; those that were added, by code."""
    added = await session.scalars(
        _ADD_AREAS,
        {
            "activation_id": activation_id,
            "areas": sorted(set(areas)),
            "added_at": added_at,
            "added_by": added_by,
        },
    )
    return sorted(added)


async def refuse_areas(
    session: AsyncSession,
    activation_id: UUID,
    areas: Collection[str],
    *,
    refused_at: datetime,
    refused_by: str,
) -> None:
    """Keep that nobody can be enrolled in these areas of the activation; the first time counts."""
    await session.execute(
        update(ActivationArea)
        .where(
            ActivationArea.activation_id == activation_id,
            ActivationArea.area_code.in_(areas),
            ActivationArea.refused_at.is_(None),
        )
        .values(refused_at=refused_at, refused_by=refused_by)
        .execution_options(synchronize_session=False)
    )


async def add_move(session: AsyncSession, move: dict[str, object]) -> None:
    await session.execute(insert(ActivationMove).values(move))


async def set_state(
    session: AsyncSession, activation_id: UUID, *, state: State, opened_on: date | None
) -> Activation:
    """The row as it is then."""
    return await _update(session, activation_id, {"state": state, "opened_on": opened_on})


async def stretch_evidence(
    session: AsyncSession, activation_id: UUID, evidence: Period
) -> Activation:
    """Let the evidence reach over a period as well; the row as it is then."""
    return await _update(
        session,
        activation_id,
        {
            "evidence_from": func.least(Activation.evidence_from, evidence.first_on),
            "evidence_to": func.greatest(Activation.evidence_to, evidence.last_on),
        },
    )


async def _update(
    session: AsyncSession, activation_id: UUID, values: dict[str, object]
) -> Activation:
    statement = (
        update(Activation)
        .where(Activation.id == activation_id)
        .values(values)
        .returning(Activation)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def lock_activation(session: AsyncSession, activation_id: UUID) -> Activation | None:
    """The activation as committed, for this transaction alone until it ends."""
    statement = (
        select(Activation)
        .where(Activation.id == activation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def lock_latest(session: AsyncSession, trigger: str) -> Activation | None:
    """The trigger's live activation, else the one with the latest evidence; locked."""
    is_live = Activation.state.in_(LIVE)
    statement = (
        select(Activation)
        .where(Activation.trigger_code == trigger)
        .order_by(
            is_live.desc(),
            Activation.evidence_to.desc(),
            Activation.proposed_at.desc(),
            Activation.id.desc(),
        )
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def find_activation(session: AsyncSession, activation_id: UUID) -> Activation | None:
    return await session.scalar(select(Activation).where(Activation.id == activation_id))


async def list_activations(
    session: AsyncSession,
    *,
    trigger: str | None,
    state: State | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Activation]:
    """Activations, newest first, before one of them."""
    statement = (
        select(Activation)
        .order_by(Activation.proposed_at.desc(), Activation.id.desc())
        .limit(limit)
    )
    if trigger is not None:
        statement = statement.where(Activation.trigger_code == trigger)
    if state is not None:
        statement = statement.where(Activation.state == state)
    if before is not None:
        statement = statement.where(tuple_(Activation.proposed_at, Activation.id) < before)
    return list(await session.scalars(statement))


async def areas_of(session: AsyncSession, activation_id: UUID) -> Sequence[ActivationArea]:
    """The areas, in the order in which they were added."""
    statement = (
        select(ActivationArea)
        .where(ActivationArea.activation_id == activation_id)
        .order_by(ActivationArea.added_at, ActivationArea.area_code)
    )
    return (await session.scalars(statement)).all()


async def moves_of(session: AsyncSession, activation_id: UUID) -> Sequence[ActivationMove]:
    """The moves, oldest first."""
    statement = (
        select(ActivationMove)
        .where(ActivationMove.activation_id == activation_id)
        .order_by(ActivationMove.sequence)
    )
    return (await session.scalars(statement)).all()
