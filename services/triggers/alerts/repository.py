"""What is asked of the database about alerts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations.tables import ActivationArea, ActivationMove

# What closes an activation tells nobody anything: it is paid as it was.
_OPENED = text(
    """
    SELECT id, shock, told_at
    FROM (
        SELECT activation.id, activation.shock, greatest(
            (
                SELECT max(moved_at) FROM triggers.activation_move
                WHERE activation_id = activation.id AND to_state IN ('open', 'cancelled')
                  AND from_state IS DISTINCT FROM to_state
            ),
            (
                SELECT max(greatest(announced_at, refused_at)) FROM triggers.activation_area
                WHERE activation_id = activation.id
            )
        ) AS told_at
        FROM triggers.activation
        WHERE opened_on IS NOT NULL
    ) AS opened
    WHERE CAST(:told_before AS timestamptz) IS NULL
       OR (told_at, id) < (CAST(:told_before AS timestamptz), CAST(:id_before AS uuid))
    ORDER BY told_at DESC, id DESC
    LIMIT :limit
    """
)


async def list_opened(
    session: AsyncSession, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Activations that were opened (id, shock, told_at), what was told of last first."""
    told_before, id_before = before or (None, None)
    values = {"told_before": told_before, "id_before": id_before, "limit": limit}
    return (await session.execute(_OPENED, values)).all()


async def moves_of_each(
    session: AsyncSession, activation_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[ActivationMove]]:
    """The moves of some activations, oldest first."""
    statement = (
        select(ActivationMove)
        .where(ActivationMove.activation_id.in_(activation_ids))
        .order_by(ActivationMove.sequence)
    )
    found: dict[UUID, list[ActivationMove]] = defaultdict(list)
    for move in await session.scalars(statement):
        found[move.activation_id].append(move)
    return found


async def areas_of_each(
    session: AsyncSession, activation_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[ActivationArea]]:
    """The areas of some activations."""
    statement = select(ActivationArea).where(ActivationArea.activation_id.in_(activation_ids))
    found: dict[UUID, list[ActivationArea]] = defaultdict(list)
    for area in await session.scalars(statement):
        found[area.activation_id].append(area)
    return found
