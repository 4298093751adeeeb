"""What working a chunk makes, and whom other schemes keep out of it, in the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.statements import Totals
from services.registry.enrolments.states import EntitlementStatus
from services.registry.schemes.document import Exclusion

_EXCLUDING = text(
    """
    SELECT DISTINCT activation.id
    FROM registry.activation
    JOIN registry.entitlement_chunk AS chunk ON chunk.activation_id = activation.id
    WHERE activation.scheme_code = :scheme AND chunk.announced_at >= :since
    """
)


@dataclass(frozen=True)
class Made:
    """Entitlements of one status that a chunk made."""

    count: int = 0
    minor: int = 0


MadeByStatus = Mapping[EntitlementStatus, Made]


async def make(session: AsyncSession, statement: Totals, values: dict[str, Any]) -> MadeByStatus:
    """Run a chunk's statement; what it made."""
    rows = await session.execute(statement, values)
    return {status: Made(count, int(minor)) for status, count, minor in rows.all()}


async def excluding_activations(
    session: AsyncSession, exclusion: Exclusion, *, since: datetime
) -> list[UUID]:
    """Activations of the excluding scheme that announced anything since then."""
    rows = await session.scalars(_EXCLUDING, {"scheme": exclusion.scheme, "since": since})
    return list(rows.all())
