"""What is asked of the database about activations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, any_, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations.states import State
from services.triggers.activations.tables import Activation, ActivationArea, ActivationMove
from services.triggers.methods.judgement import Period
from services.triggers.methods.severity import Severity

_ADD_AREAS = text(
    """
    INSERT INTO triggers.activation_area
        (activation_id, area_code, added_at, added_by, announced_at)
    SELECT :activation_id, area_code, :added_at, :added_by, NULL
    FROM unnest(CAST(:areas AS text[])) AS area_code
    ON CONFLICT (activation_id, area_code) DO UPDATE
        SET added_at = excluded.added_at, added_by = excluded.added_by,
            declined_at = NULL, declined_by = NULL
        WHERE activation_area.declined_at IS NOT NULL
    RETURNING area_code
    """
)

_CLAIM = text(
    """
    UPDATE triggers.activation
    SET weigh_at = clock_timestamp() + make_interval(secs => :lease_seconds),
        weighing_since = coalesce(weighing_since, clock_timestamp())
    WHERE id = (
        SELECT id FROM triggers.activation
        WHERE weigh_at <= clock_timestamp()
        ORDER BY weigh_at
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, weigh_at,
        weighing_since < clock_timestamp() - make_interval(secs => :patience_seconds)
            AS waited_long
    """
)

_EXPIRED = text(
    """
    SELECT activation.id
    FROM triggers.activation
    JOIN triggers.approval ON approval.id = activation.approval_id
    WHERE activation.state IN ('proposed', 'open') AND activation.weigh_at IS NULL
      AND approval.decision IS NULL AND approval.expires_at <= :now
    LIMIT 1
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
    """Add the areas that the activation does not have, or no longer: they wait, unannounced.

    Returns those that were added, by code.
    """
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


async def announce_areas(
    session: AsyncSession, activation_id: UUID, areas: Collection[str], *, announced_at: datetime
) -> list[str]:
    """Keep that these are announced; those that were not before, by code."""
    announced = await session.scalars(
        update(ActivationArea)
        .where(
            ActivationArea.activation_id == activation_id,
            ActivationArea.area_code.in_(areas),
            ActivationArea.announced_at.is_(None),
            ActivationArea.declined_at.is_(None),
        )
        .values(announced_at=announced_at)
        .returning(ActivationArea.area_code)
        .execution_options(synchronize_session=False)
    )
    return sorted(announced)


async def decline_areas(
    session: AsyncSession,
    activation_id: UUID,
    areas: Collection[str],
    *,
    declined_at: datetime,
    declined_by: str,
) -> list[str]:
    """Keep that a person declined to add these; those that waited, by code."""
    declined = await session.scalars(
        update(ActivationArea)
        .where(
            ActivationArea.activation_id == activation_id,
            ActivationArea.area_code.in_(areas),
            ActivationArea.announced_at.is_(None),
            ActivationArea.declined_at.is_(None),
        )
        .values(declined_at=declined_at, declined_by=declined_by)
        .returning(ActivationArea.area_code)
        .execution_options(synchronize_session=False)
    )
    return sorted(declined)


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


async def note_filtered(
    session: AsyncSession, activation_id: UUID, filtered: Mapping[str, bool]
) -> None:
    """Keep of areas whether the filter takes no commune of them."""
    for is_filtered in (True, False):
        codes = [code for code, taken in filtered.items() if taken is is_filtered]
        if codes:
            await session.execute(
                update(ActivationArea)
                .where(
                    ActivationArea.activation_id == activation_id,
                    ActivationArea.area_code.in_(codes),
                    ActivationArea.filtered.is_distinct_from(is_filtered),
                )
                .values(filtered=is_filtered)
                .execution_options(synchronize_session=False)
            )


async def add_move(session: AsyncSession, move: dict[str, object]) -> None:
    await session.execute(insert(ActivationMove).values(move))


async def set_state(
    session: AsyncSession, activation_id: UUID, *, state: State, opened_on: date | None
) -> Activation:
    """The row as it is then. What it waits for is looked at anew."""
    values = {"state": state, "opened_on": opened_on, "weigh_at": func.clock_timestamp()}
    return await _update(session, activation_id, values)


async def set_ceiling(
    session: AsyncSession, activation_id: UUID, *, households: int | None, minor: int | None
) -> Activation:
    """The row as it is then."""
    values = {"ceiling_households": households, "ceiling_minor": minor}
    return await _update(session, activation_id, values)


async def set_approval(session: AsyncSession, activation_id: UUID, approval_id: UUID) -> None:
    """Keep which proposal asks to open or to widen it."""
    await _update(session, activation_id, {"approval_id": approval_id})


async def weigh_now(session: AsyncSession, activation_id: UUID) -> None:
    """Have it held against its ceiling."""
    await _update(session, activation_id, {"weigh_at": func.clock_timestamp()})


async def weighed(session: AsyncSession, activation_id: UUID) -> None:
    """Keep that nothing is to be weighed until more evidence comes."""
    values = {"weigh_at": None, "weighing_since": None, "judge_again_at": None}
    await _update(session, activation_id, values)


async def judge_once_weighed(session: AsyncSession, activation_id: UUID, *, at: datetime) -> None:
    """Keep that something waits for it to be weighed."""
    await _update(session, activation_id, {"judge_again_at": at})


async def weigh_again(session: AsyncSession, activation_id: UUID, *, after_seconds: float) -> None:
    """Have it weighed later; whoever asked for it meanwhile is not put off."""
    again = func.clock_timestamp() + timedelta(seconds=after_seconds)
    values = {"weigh_at": func.least(Activation.weigh_at, again)}
    await _update(session, activation_id, values)


async def claim_unweighed(
    session: AsyncSession, *, lease_seconds: float, patience_seconds: float
) -> Row[Any] | None:
    """The activation that has waited longest to be weighed, leased: id, weigh_at, waited_long."""
    values = {"lease_seconds": lease_seconds, "patience_seconds": patience_seconds}
    return (await session.execute(_CLAIM, values)).one_or_none()


async def find_expired(session: AsyncSession, *, now: datetime) -> UUID | None:
    """A live activation whose proposal nobody decided in time."""
    activation_id: UUID | None = await session.scalar(_EXPIRED, {"now": now})
    return activation_id


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
    session: AsyncSession, activation_id: UUID, values: Mapping[str, object]
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


async def lock_all(session: AsyncSession, triggers: Collection[str]) -> Sequence[Activation]:
    """These triggers' activations as committed, the first proposed first; locked."""
    statement = (
        select(Activation)
        .where(Activation.trigger_code == any_(literal(sorted(triggers), ARRAY(Text))))
        .order_by(Activation.proposed_at, Activation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def raise_severity(session: AsyncSession, activation_id: UUID, severity: Severity) -> None:
    await _update(session, activation_id, {"severity": severity})


async def set_doubt(session: AsyncSession, activation_id: UUID, doubt: str) -> None:
    """Keep why it would not have begun; what of it waits to be opened is looked at anew."""
    values = {"doubt": doubt, "weigh_at": func.clock_timestamp()}
    await _update(session, activation_id, values)


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
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def areas_of_all(
    session: AsyncSession, ids: Collection[UUID]
) -> dict[UUID, list[ActivationArea]]:
    """The areas of several activations, in the order in which they were added."""
    found: dict[UUID, list[ActivationArea]] = {activation_id: [] for activation_id in ids}
    statement = (
        select(ActivationArea)
        .where(ActivationArea.activation_id == any_(literal(sorted(ids), ARRAY(Uuid))))
        .order_by(ActivationArea.added_at, ActivationArea.area_code)
        .execution_options(populate_existing=True)
    )
    for area in await session.scalars(statement):
        found[area.activation_id].append(area)
    return found


async def moves_of(session: AsyncSession, activation_id: UUID) -> Sequence[ActivationMove]:
    """The moves, oldest first."""
    statement = (
        select(ActivationMove)
        .where(ActivationMove.activation_id == activation_id)
        .order_by(ActivationMove.sequence)
    )
    return (await session.scalars(statement)).all()
