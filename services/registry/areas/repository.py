"""Areas in the database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, defer

from services.registry.areas.gazetteer import SHIPPED_EDITION, AreaRecord
from services.registry.areas.tables import (
    CODE,
    COUNTRY_CODE,
    Area,
    AreaChange,
    AreaSuccessor,
    ChangeKind,
    Edition,
    Level,
)
from shared.choosing import one_of
from shared.database import driver_connection
from shared.errors import Conflict

_DIGITS_OF_COMMUNES = 6
_MOST_OF_HISTORY = 1_000


class EditionChanged(Conflict):
    """Rows were read by the codes of an edition that is not in force any more."""


_PLACES = """
    INSERT INTO registry.area AS known
    SELECT * FROM given_area
    ORDER BY length(code), code
    ON CONFLICT (code) DO UPDATE SET (
        parent_code, level, name_en, name_km, residence, households_total, idpoor1_households,
        idpoor2_households, flood_hazard_index, vulnerability_index, latitude, longitude, edition,
        ended_at
    ) = (
        excluded.parent_code, excluded.level, excluded.name_en, excluded.name_km,
        excluded.residence, excluded.households_total, excluded.idpoor1_households,
        excluded.idpoor2_households, excluded.flood_hazard_index, excluded.vulnerability_index,
        excluded.latitude, excluded.longitude, excluded.edition, excluded.ended_at
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


# Whoever says where households live, or reads it to enrol them, shares it until its commit; whoever
# puts an edition in force has it alone. In this order nobody works by codes of two editions.
_FENCE = 7_202
_SHARE_FENCE = text(f"SELECT pg_advisory_xact_lock_shared({_FENCE}, 0)")
_HAVE_FENCE = text(f"SELECT pg_advisory_xact_lock({_FENCE}, 0)")

_NUMBER = "SELECT max(number) FROM registry.gazetteer_edition"

_SHIPPED = text(
    """
    INSERT INTO registry.gazetteer_edition AS known
        (code, number, created_by, created_at, loaded_at, in_force_at)
    VALUES (:edition, 1, 'shipped', now(), now(), now())
    ON CONFLICT (code) DO UPDATE SET loaded_at = now()
    """
)

# Of one code each: it itself where it is living, or the one that it leads to.
_PLACES_NOW = text(
    """
    SELECT code, code AS now FROM registry.area
    WHERE level IN ('commune', 'village') AND ended_at IS NULL
    UNION ALL
    SELECT area.code, min(led.successor)
    FROM registry.area JOIN registry.area_successor AS led USING (code)
    WHERE area.level IN ('commune', 'village') AND area.ended_at IS NOT NULL
    GROUP BY area.code HAVING count(*) = 1
    """
)

# An ended commune still holds whom its edition could not place.
_IS_LIVED_IN = text(
    "(area.ended_at IS NULL "
    "OR EXISTS (SELECT FROM registry.household WHERE household.area_code = area.code))"
)


async def share_fence(session: AsyncSession) -> None:
    """No edition of the gazetteer is put in force before this transaction ends."""
    await session.execute(_SHARE_FENCE)


async def have_fence(session: AsyncSession) -> None:
    """Wait for all who place or enrol households; the next wait until this transaction ends."""
    await session.execute(_HAVE_FENCE)


async def require_edition(connection: asyncpg.Connection, number: int) -> None:
    """Share the fence until the end of the transaction; raises EditionChanged where another
    edition is in force than the one of this number."""
    await connection.execute(_SHARE_FENCE.text)
    if await connection.fetchval(_NUMBER) != number:
        raise EditionChanged(
            "A new edition of the gazetteer was put in force while the rows came in. What is "
            "stored followed it. Send the file again."
        )


async def edition_in_force(session: AsyncSession) -> Edition | None:
    """The edition in force; None before the first was loaded."""
    return await session.scalar(
        select(Edition)
        .where(Edition.number.is_not(None))
        .order_by(Edition.number.desc())
        .limit(1)
        .options(defer(Edition.areas), defer(Edition.changes))
    )


async def load_shipped(session: AsyncSession, records: Iterable[AreaRecord]) -> int:
    """Bring the table to the edition that is shipped; how many rows that changed."""
    changed = await replace_areas(session, records)
    if changed:
        await session.execute(_SHIPPED, {"edition": SHIPPED_EDITION})
    return changed


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
    rows = await session.execute(
        select(Area.level, func.count()).where(Area.ended_at.is_(None)).group_by(Area.level)
    )
    return dict(rows.all())


async def find_area(session: AsyncSession, code: str) -> Area | None:
    """The area with this code."""
    return await session.scalar(select(Area).where(Area.code == code))


async def living_names(session: AsyncSession) -> Sequence[Row[str, Level, str, str]]:
    """Code, level and names of every area in force but the country."""
    rows = await session.execute(
        select(Area.code, Area.level, Area.name_en, Area.name_km).where(
            Area.ended_at.is_(None), Area.level != Level.COUNTRY
        )
    )
    return rows.all()


async def names_of(
    session: AsyncSession, codes: Collection[str]
) -> dict[str, tuple[Level, str, str]]:
    """The level and the names of areas, by code."""
    rows = await session.execute(
        select(Area.code, Area.level, Area.name_en, Area.name_km).where(one_of(Area.code, codes))
    )
    return {row.code: (row.level, row.name_en, row.name_km) for row in rows}


async def list_history(
    session: AsyncSession, code: str
) -> Sequence[Row[str, datetime | None, ChangeKind, str, str, str, str]]:
    """What editions made of a code, or made into it, the oldest first."""
    rows = await session.execute(
        select(
            AreaChange.edition,
            Edition.in_force_at.label("since"),
            AreaChange.kind,
            AreaChange.from_code,
            AreaChange.name_en,
            AreaChange.name_km,
            AreaChange.to_code,
        )
        .join(Edition, Edition.code == AreaChange.edition)
        .where(or_(AreaChange.from_code == code, AreaChange.to_code == code))
        .order_by(Edition.number, AreaChange.from_code, AreaChange.to_code)
        .limit(_MOST_OF_HISTORY)
    )
    return rows.all()


async def list_successors(session: AsyncSession, code: str) -> list[str]:
    """Where a code leads that is not the place any more that it was."""
    query = select(AreaSuccessor.successor).where(AreaSuccessor.code == code)
    return list((await session.scalars(query.order_by(AreaSuccessor.successor))).all())


async def list_areas(
    session: AsyncSession,
    *,
    codes: Collection[str] | None,
    level: Level | None,
    parent: str | None,
    within: str | None,
    living: bool,
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
    if living:
        query = query.where(Area.ended_at.is_(None))
    if within is not None:
        query = query.where(Area.code.startswith(within, autoescape=True), Area.code != within)
    if parent is not None:
        query = query.where(Area.parent_code == parent)
    return list((await session.scalars(query.order_by(Area.code).limit(limit))).all())


async def places_now(session: AsyncSession) -> dict[str, str]:
    """What the code of a commune or village stands for now, of all that lead to one alone."""
    return dict((await session.execute(_PLACES_NOW)).all())


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


async def communes_led(session: AsyncSession, areas: Collection[str]) -> Sequence[tuple[str, str]]:
    """What became of communes that lay in any of ``areas``: the code of then, and one of now."""
    query = select(AreaSuccessor.code, AreaSuccessor.successor).where(
        func.length(AreaSuccessor.code) == _DIGITS_OF_COMMUNES
    )
    if COUNTRY_CODE not in areas:
        query = query.where(_within(AreaSuccessor.code, areas))
    return [(code, successor) for code, successor in await session.execute(query)]


def _is_commune_of(areas: Collection[str]) -> ColumnElement[bool]:
    communes = and_(Area.level == Level.COMMUNE, _IS_LIVED_IN)
    if COUNTRY_CODE in areas:
        return communes
    followed = select(AreaSuccessor.successor).where(
        func.length(AreaSuccessor.code) == _DIGITS_OF_COMMUNES,
        _within(AreaSuccessor.code, areas),
    )
    return and_(communes, or_(_within(Area.code, areas), Area.code.in_(followed)))


def _within(column: InstrumentedAttribute[str], areas: Collection[str]) -> ColumnElement[bool]:
    """Whether a code begins with one of ``areas``: by its beginnings of the lengths that they have.

    They are one parameter, however many: a statement with a condition for each of a country's
    communes took half a second to make, in which a process did nothing else.
    """
    among = select(func.unnest(bindparam(None, list(areas), type_=ARRAY(CODE))))
    lengths = sorted({len(area) for area in areas})
    return or_(false(), *(func.left(column, length).in_(among) for length in lengths))
