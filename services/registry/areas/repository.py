"""Areas in the database."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.gazetteer import AreaRecord
from services.registry.areas.tables import COUNTRY_CODE, Area, Level
from shared.database import driver_connection

_PLACES = """
    INSERT INTO registry.area AS known
    SELECT * FROM given_area
    ORDER BY length(code), code
    ON CONFLICT (code) DO UPDATE SET (
        parent_code, level, name_en, name_km, residence, households_total, idpoor1_households,
        idpoor2_households, flood_hazard_index, vulnerability_index, latitude, longitude
    ) = (
        excluded.parent_code, excluded.level, excluded.name_en, excluded.name_km,
        excluded.residence, excluded.households_total, excluded.idpoor1_households,
        excluded.idpoor2_households, excluded.flood_hazard_index, excluded.vulnerability_index,
        excluded.latitude, excluded.longitude
    )
    WHERE known IS DISTINCT FROM excluded
"""

# Communes are counted; what lies above them is their sum.
_SUMS = """
    UPDATE given_area AS above SET
        households_total = commune.households_total,
        idpoor1_households = commune.idpoor1_households,
        idpoor2_households = commune.idpoor2_households
    FROM (
        SELECT prefix,
               sum(households_total) AS households_total,
               sum(idpoor1_households) AS idpoor1_households,
               sum(idpoor2_households) AS idpoor2_households
        FROM given_area, LATERAL unnest(ARRAY[left(code, 2), left(code, 4), :country]) AS prefix
        WHERE level = 'commune'
        GROUP BY prefix
    ) AS commune
    WHERE above.code = commune.prefix
"""


async def replace_areas(session: AsyncSession, records: Iterable[AreaRecord]) -> int:
    """Bring the table to ``records``; how many rows that changed. Nothing is ever removed."""
    await session.execute(text("CREATE TEMP TABLE given_area (LIKE registry.area) ON COMMIT DROP"))
    connection = await driver_connection(session)
    await connection.copy_records_to_table(
        "given_area", columns=list(AreaRecord._fields), records=records
    )
    await session.execute(text(_SUMS), {"country": COUNTRY_CODE})
    changed = await session.execute(text(f"{_PLACES} RETURNING code"))
    return len(changed.all())


async def count_by_level(session: AsyncSession) -> dict[Level, int]:
    """How many areas there are at each level."""
    rows = await session.execute(select(Area.level, func.count()).group_by(Area.level))
    return dict(rows.all())


async def find_area(session: AsyncSession, code: str) -> Area | None:
    """The area with this code."""
    return await session.scalar(select(Area).where(Area.code == code))


async def list_areas(
    session: AsyncSession,
    *,
    codes: Collection[str] | None,
    level: Level | None,
    parent: str | None,
    after: str | None,
    limit: int,
) -> list[Area]:
    """Areas by code, after one code; what is None does not narrow."""
    query: Select[Area] = select(Area)
    if after is not None:
        query = query.where(Area.code > after)
    if codes is not None:
        query = query.where(Area.code.in_(codes))
    if level is not None:
        query = query.where(Area.level == level)
    if parent is not None:
        query = query.where(Area.parent_code == parent)
    return list((await session.scalars(query.order_by(Area.code).limit(limit))).all())


async def commune_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of all communes."""
    return frozenset(
        (await session.scalars(select(Area.code).where(Area.level == Level.COMMUNE))).all()
    )


async def known_codes(session: AsyncSession, codes: Collection[str]) -> frozenset[str]:
    """Those of ``codes`` that are in the gazetteer."""
    return frozenset((await session.scalars(select(Area.code).where(Area.code.in_(codes)))).all())


async def communes_within(
    session: AsyncSession, areas: Collection[str], condition: ColumnElement[bool] | None
) -> frozenset[str]:
    """The communes of any of ``areas`` that meet a condition over the table."""
    query = select(Area.code).where(_is_commune_of(areas))
    if condition is not None:
        query = query.where(condition)
    return frozenset((await session.scalars(query)).all())


async def communes_judged(
    session: AsyncSession, areas: Collection[str], condition: ColumnElement[bool]
) -> dict[str, bool | None]:
    """The communes of any of ``areas``, and whether each meets a condition; None: unknown."""
    query = select(Area.code, condition).where(_is_commune_of(areas))
    rows = await session.execute(query)
    return dict(rows.all())


def _is_commune_of(areas: Collection[str]) -> ColumnElement[bool]:
    communes = Area.level == Level.COMMUNE
    if COUNTRY_CODE in areas:
        return communes
    return and_(communes, or_(*(Area.code.startswith(area, autoescape=True) for area in areas)))
