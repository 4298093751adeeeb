"""Activations for whoever asks for one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.repository import find_activation
from services.registry.activations.tables import Activation
from shared.errors import Conflict, NotFound


async def get_activation(session: AsyncSession, activation_id: UUID) -> Activation:
    """The activation with this id; raises NotFound."""
    activation = await find_activation(session, activation_id)
    if activation is None:
        raise NotFound(
            "No such activation has reached the registry. "
            "GET /v1/activations lists those that have."
        )
    return activation


def require_not_cancelled(activation: Activation) -> None:
    """Raises Conflict where nothing of an activation is to be announced any more."""
    if activation.cancelled_on is not None:
        raise Conflict(
            f"The activation was cancelled on {activation.cancelled_on}: nothing of it is "
            "announced to payments any more."
        )
