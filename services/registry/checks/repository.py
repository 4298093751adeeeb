"""What an activation would come to, asked of the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments import statements
from services.registry.schemes.document import SchemeDocument


@dataclass(frozen=True)
class Counted:
    """Whom a scheme would pay, by the registry as it is now."""

    households: int
    minor: int
    """What they would get in one round."""
    without_account: int
    without_provider: int
    """With an account at a provider that does not pay the scheme's currency, or none of ours."""


async def estimate(
    session: AsyncSession, document: SchemeDocument, communes: Collection[str], *, as_of: date
) -> Counted:
    """Whom a scheme would pay of these communes, as old as they are on a day."""
    values = {"area_codes": sorted(communes), "as_of": as_of}
    rows = await session.execute(statements.estimate(document), values)
    households, minor, without_account, without_provider = rows.one()
    return Counted(households, int(minor or 0), without_account, without_provider)
