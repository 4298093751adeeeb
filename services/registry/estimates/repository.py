"""What a scheme would come to, asked of the database: by commune and provider, in one look."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository as areas
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.enrolments.excluding import Excluding
from services.registry.estimates import statements
from services.registry.schemes.document import SchemeDocument
from shared.database import plan_anew

Cell = Row[str, str | None, int, int, int, int, int]
"""Commune, provider (None: no account), households, persons, what they get in a round, and of
these the households above the fund's bound and what they would get."""


@dataclass(frozen=True)
class LeftOut:
    """Whom other schemes or activations keep out of a round, by the registry as it is now."""

    households: int
    persons: int
    minor: int


async def by_commune(
    session: AsyncSession,
    document: SchemeDocument,
    communes: Collection[str],
    *,
    maximum_minor: int,
    as_of: date,
) -> Sequence[Cell]:
    """Whom a scheme would pay of these communes in a round, where, and at which provider.

    By what they are on the day ``as_of``.
    """
    # A plan for any rule and any areas takes half as long again as one for these.
    await plan_anew(session)
    everywhere = await areas.communes_within(session, [COUNTRY_CODE], None) == frozenset(communes)
    rows = await session.execute(
        statements.estimate(document, everywhere=everywhere),
        {"area_codes": sorted(communes), "maximum_minor": maximum_minor, "as_of": as_of},
    )
    return rows.all()


async def left_out(
    session: AsyncSession,
    document: SchemeDocument,
    communes: Collection[str],
    excluding: Excluding,
    *,
    as_of: date,
) -> LeftOut:
    """Whom of these communes others pay."""
    if not excluding:
        return LeftOut(0, 0, 0)
    rows = await session.execute(
        statements.left_out(document),
        {"area_codes": sorted(communes), "as_of": as_of, **excluding.values},
    )
    households, persons, minor = rows.one()
    return LeftOut(households, int(persons or 0), int(minor or 0))


async def names(session: AsyncSession, codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """The names of areas in English and Khmer, by code."""
    found = await areas.list_areas(
        session,
        codes=codes,
        level=None,
        parent=None,
        within=None,
        living=False,
        after=None,
        limit=len(codes),
    )
    return {area.code: (area.name_en, area.name_km) for area in found}
