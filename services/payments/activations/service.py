"""How an activation stands with payments."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.activations import repository
from services.payments.activations.schemas import ActivationOut
from shared.errors import NotFound


async def get_activation(session: AsyncSession, activation_id: UUID) -> ActivationOut:
    """An activation's sums; raises NotFound where nothing was heard of it."""
    standing = (await repository.find_standing(session, activation_id))._asdict()
    if not standing.pop("chunks") and standing["cancelled_on"] is None:
        raise NotFound(
            "Nothing of this activation was announced here yet. GET /v1/rounds lists all."
        )
    return ActivationOut(
        activation_id=activation_id,
        cancellation_heard_at=standing.pop("heard_at"),
        **standing,
    )
