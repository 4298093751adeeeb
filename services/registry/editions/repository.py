"""Editions in the database: kept, put in force by sets, and who waits to be placed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from services.registry.areas.gazetteer import AreaRecord
from services.registry.areas.tables import Area, AreaChange, AreaSuccessor, Edition
from services.registry.editions.comparing import Change, Moves, Names, Place, Standing
from services.registry.editions.tables import HouseholdFollowing
from shared.database import driver_connection

# Whom an earlier edition could not place stands where it was, whatever the code means by now.
_WAITS = """
    EXISTS (
        SELECT FROM registry.household_following AS waiting
        WHERE waiting.household_id = household.id AND waiting.to_code IS NULL
          AND waiting.from_code = household.area_code
          AND waiting.from_village IS NOT DISTINCT FROM household.village_code)
"""

_STILL = """
    FROM registry.household_following AS waiting
    JOIN registry.household ON household.id = waiting.household_id
        AND household.area_code = waiting.from_code
        AND household.village_code IS NOT DISTINCT FROM waiting.from_village
    WHERE waiting.to_code IS NULL
"""
_STANDINGS = text(
    f"""
    SELECT area_code, village_code, count(*) FROM registry.household
    WHERE NOT {_WAITS}
    GROUP BY area_code, village_code
    """
)

# Placed by an import or by anybody else meanwhile: then it does not stand where it stood.
_CLOSE_PLACED = text(
    """
    UPDATE registry.household_following AS waiting
    SET to_code = household.area_code, to_village = household.village_code
    FROM registry.household
    WHERE household.id = waiting.household_id AND waiting.to_code IS NULL
      AND (household.area_code, household.village_code)
          IS DISTINCT FROM (waiting.from_code, waiting.from_village)
    """
)
_CHOICES = text(
    f"""
    SELECT waiting.from_code, waiting.choices, count(*)
    {_STILL}
    GROUP BY waiting.from_code, waiting.choices
    """
)

_GIVEN_PLACES = text(
    """
    CREATE TEMP TABLE given_place (
        from_code text COLLATE "C", from_village text COLLATE "C", choices text[] COLLATE "C",
        to_code text COLLATE "C", to_village text COLLATE "C"
    ) ON COMMIT DROP
    """
)
_FOLLOW = text(
    f"""
    WITH moved AS (
        UPDATE registry.household
        SET area_code = given.to_code, village_code = given.to_village, changed_at = :at
        FROM given_place AS given
        WHERE household.area_code = given.from_code
          AND household.village_code IS NOT DISTINCT FROM given.from_village
          AND given.to_code IS NOT NULL AND NOT {_WAITS}
        RETURNING household.id, given.*
    )
    INSERT INTO registry.household_following (household_id, edition, from_code, from_village,
        choices, to_code, to_village, followed_at)
    SELECT id, :edition, from_code, from_village, choices, to_code, to_village, :at FROM moved
    """
)
_WAIT = text(
    f"""
    INSERT INTO registry.household_following (household_id, edition, from_code, from_village,
        choices, followed_at)
    SELECT household.id, :edition, given.from_code, given.from_village, given.choices, :at
    FROM given_place AS given
    JOIN registry.household ON household.area_code = given.from_code
        AND household.village_code IS NOT DISTINCT FROM given.from_village
    WHERE given.to_code IS NULL AND NOT {_WAITS}
    """
)
_GIVEN_CHOICES = text(
    """
    CREATE TEMP TABLE given_choice (before text[] COLLATE "C", now text[] COLLATE "C")
    ON COMMIT DROP
    """
)
_NARROW = text(
    """
    WITH narrowed AS (
        UPDATE registry.household_following AS waiting
        SET choices = given.now,
            to_code = CASE WHEN cardinality(given.now) = 1 THEN given.now[1] END
        FROM given_choice AS given
        WHERE waiting.to_code IS NULL AND waiting.edition <> :edition
          AND waiting.choices = given.before
        RETURNING waiting.household_id, waiting.to_code
    )
    UPDATE registry.household
    SET area_code = narrowed.to_code, village_code = NULL, changed_at = :at
    FROM narrowed
    WHERE household.id = narrowed.household_id AND narrowed.to_code IS NOT NULL
    """
)

_END_AREAS = text(
    "UPDATE registry.area SET ended_at = :at WHERE code = ANY(:codes) AND ended_at IS NULL"
)
_PLANNED = text(
    """
    SELECT id, area_codes FROM registry.entitlement_chunk
    WHERE status = 'planned' AND round = 1 AND home_chunk_id IS NULL
    ORDER BY id FOR UPDATE
    """
)
_REPLAN = text("UPDATE registry.entitlement_chunk SET area_codes = :codes WHERE id = :id")
_REPLAN_PLACED = text(
    """
    UPDATE registry.entitlement_chunk
    SET area_codes = ARRAY(
        SELECT DISTINCT code FROM unnest(area_codes || CAST(:to_code AS text)) AS code
        ORDER BY code)
    WHERE status = 'planned' AND round = 1 AND home_chunk_id IS NULL
      AND area_codes @> ARRAY[CAST(:from_code AS text)]
      AND NOT area_codes @> ARRAY[CAST(:to_code AS text)]
    """
)

# A commune is reached by who reached all that it is made of.
_REACHED_TOO = text(
    """
    INSERT INTO registry.activation_commune (activation_id, area_code, enrolment_run_id, edition)
    SELECT reached.activation_id, led.to_code, (array_agg(reached.enrolment_run_id))[1], :number
    FROM unnest(CAST(:from_codes AS text[]), CAST(:to_codes AS text[])) AS led (from_code, to_code)
    JOIN registry.activation_commune AS reached ON reached.area_code = led.from_code
    GROUP BY reached.activation_id, led.to_code
    HAVING count(*) = (
        SELECT count(*) FROM unnest(CAST(:to_codes AS text[])) AS parts (code)
        WHERE parts.code = led.to_code)
    ON CONFLICT (activation_id, area_code) DO UPDATE SET edition = excluded.edition
    """
)

_PLACE = text(
    """
    WITH placed AS (
        UPDATE registry.household
        SET area_code = :commune, village_code = :village, changed_at = :at
        WHERE id = :household_id
        RETURNING id
    )
    UPDATE registry.household_following AS waiting
    SET to_code = :commune, to_village = :village, decided_by = :by, decided_at = :at
    FROM placed
    WHERE waiting.household_id = placed.id AND waiting.to_code IS NULL
    """
)

_WAITING = text(
    f"""
    SELECT waiting.household_id, waiting.edition, waiting.from_code AS area_code, waiting.choices,
        waiting.followed_at AS waits_since
    {_STILL}
      AND (CAST(:within AS text) IS NULL OR starts_with(waiting.from_code, :within))
      AND (CAST(:after_code AS text) IS NULL
           OR (waiting.from_code, waiting.household_id) > (:after_code, CAST(:after_id AS uuid)))
    ORDER BY waiting.from_code, waiting.household_id
    LIMIT :limit
    """
)
_LOCK_WAITING = text(
    f"""
    SELECT waiting.household_id, waiting.from_code, waiting.choices
    {_STILL} AND waiting.household_id = ANY(:ids)
    FOR UPDATE OF waiting
    """
)

_CHANGES = text(
    """
    WITH followed AS (
        SELECT from_code, to_code, count(*) AS households FROM registry.household_following
        WHERE edition = :edition AND to_code IS NOT NULL GROUP BY from_code, to_code
    ), waiting AS (
        SELECT from_code, count(*) AS households FROM registry.household_following
        WHERE edition = :edition AND to_code IS NULL GROUP BY from_code
    )
    SELECT change.kind, change.from_code, change.name_en AS from_name_en,
        change.name_km AS from_name_km, change.to_code, area.name_en AS to_name_en,
        area.name_km AS to_name_km, coalesce(followed.households, 0) AS households_following,
        coalesce(waiting.households, 0) AS households_to_place
    FROM registry.area_change AS change
    JOIN registry.area ON area.code = change.to_code
    LEFT JOIN followed USING (from_code, to_code)
    LEFT JOIN waiting ON waiting.from_code = change.from_code
    WHERE change.edition = :edition
      AND (CAST(:after_from AS text) IS NULL
           OR (change.from_code, change.to_code) > (:after_from, :after_to))
    ORDER BY change.from_code, change.to_code
    LIMIT :limit
    """
)


@dataclass(frozen=True)
class Occupied:
    """Who stands where, and who waits."""

    households: Mapping[Standing, int]
    choices: Mapping[tuple[str, ...], int]
    """Of those who wait: between which communes."""
    waited_in: frozenset[str]


async def find_edition(session: AsyncSession, code: str, *, lock: bool = False) -> Edition | None:
    """The edition with this code, with its tables."""
    query = select(Edition).where(Edition.code == code).execution_options(populate_existing=True)
    return await session.scalar(query.with_for_update() if lock else query)


async def list_editions(
    session: AsyncSession, *, after: str | None, limit: int
) -> Sequence[Edition]:
    """Editions by code, without their tables."""
    query = select(Edition).options(defer(Edition.areas), defer(Edition.changes))
    if after is not None:
        query = query.where(Edition.code > after)
    return (await session.scalars(query.order_by(Edition.code).limit(limit))).all()


async def keep_draft(session: AsyncSession, **fields: Any) -> None:
    """Keep a draft in place of the one with its code; ``fields`` are the table's columns."""
    await session.execute(
        delete(Edition).where(Edition.code == fields["code"], Edition.number.is_(None))
    )
    await session.execute(insert(Edition).values(fields))


async def living_areas(session: AsyncSession) -> dict[str, AreaRecord]:
    """What is known of every area in force, by code."""
    columns = [getattr(Area, name) for name in AreaRecord._fields]
    rows = await session.execute(select(*columns).where(Area.ended_at.is_(None)))
    return {row.code: AreaRecord(*row) for row in rows}


async def occupied(session: AsyncSession) -> Occupied:
    """Where the households stand, and between which communes some wait to be placed."""
    standing = await session.execute(_STANDINGS)
    households = {Standing(commune, village): count for commune, village, count in standing}
    waiting = (await session.execute(_CHOICES)).all()
    choices: dict[tuple[str, ...], int] = {}
    for _, codes, count in waiting:
        choices[tuple(codes)] = choices.get(tuple(codes), 0) + count
    return Occupied(households, choices, frozenset(row.from_code for row in waiting))


async def close_placed(session: AsyncSession) -> None:
    """Nobody waits any more who was placed by an import, or by anybody else."""
    await session.execute(_CLOSE_PLACED)


async def end_areas(session: AsyncSession, codes: Sequence[str], *, at: datetime) -> None:
    """Keep since when codes are in no edition."""
    await session.execute(_END_AREAS, {"codes": list(codes), "at": at})


async def add_changes(
    session: AsyncSession, edition: str, changes: Iterable[Change], names: Mapping[str, Names]
) -> None:
    """Keep what became of codes, with what they were called."""
    connection = await driver_connection(session)
    await connection.copy_records_to_table(
        "area_change",
        schema_name="registry",
        columns=["edition", "from_code", "to_code", "kind", "name_en", "name_km"],
        records=[
            (edition, change.from_code, change.to_code, change.kind.value, *names[change.from_code])
            for change in changes
        ],
    )


async def history(session: AsyncSession) -> list[list[Change]]:
    """What became of codes in each edition that was put in force, the oldest first."""
    rows = await session.execute(
        select(Edition.number, AreaChange.from_code, AreaChange.to_code, AreaChange.kind)
        .join(Edition, Edition.code == AreaChange.edition)
        .order_by(Edition.number)
    )
    found: dict[int, list[Change]] = {}
    for number, from_code, to_code, kind in rows.all():
        if number is not None:
            found.setdefault(number, []).append(Change(from_code, to_code, kind))
    return list(found.values())


async def replace_successors(
    session: AsyncSession, successors: Mapping[str, Collection[str]]
) -> None:
    """Keep where codes lead now."""
    await session.execute(delete(AreaSuccessor))
    connection = await driver_connection(session)
    await connection.copy_records_to_table(
        "area_successor",
        schema_name="registry",
        columns=["code", "successor"],
        records=[(code, to) for code, several in sorted(successors.items()) for to in several],
    )


async def follow(
    session: AsyncSession, edition: str, places: Mapping[Standing, Place], *, at: datetime
) -> None:
    """Give households the codes that an edition gives them; the others wait where they stand."""
    await session.execute(_GIVEN_PLACES)
    connection = await driver_connection(session)
    await connection.copy_records_to_table(
        "given_place",
        columns=["from_code", "from_village", "choices", "to_code", "to_village"],
        records=[
            (*standing, list(place.choices), place.commune, place.village)
            for standing, place in places.items()
        ],
    )
    values = {"edition": edition, "at": at}
    # First who waits: whoever has followed stands where others may have stood.
    await session.execute(_WAIT, values)
    await session.execute(_FOLLOW, values)


async def narrow(
    session: AsyncSession,
    edition: str,
    choices: Mapping[tuple[str, ...], tuple[str, ...]],
    *,
    at: datetime,
) -> None:
    """Those who waited between some communes do so between what these became, or are placed."""
    await session.execute(_GIVEN_CHOICES)
    connection = await driver_connection(session)
    await connection.copy_records_to_table(
        "given_choice",
        columns=["before", "now"],
        records=[(list(before), list(now)) for before, now in choices.items()],
    )
    await session.execute(_NARROW, {"edition": edition, "at": at})


async def planned_chunks(session: AsyncSession) -> Sequence[Row[Any]]:
    """Chunks of round 1 that wait to be worked, locked."""
    found: Sequence[Row[Any]] = (await session.execute(_PLANNED)).all()
    return found


async def replan(session: AsyncSession, codes: Mapping[UUID, Sequence[str]]) -> None:
    """Have planned chunks enrol in other communes."""
    if codes:
        await session.execute(
            _REPLAN, [{"id": id_, "codes": list(several)} for id_, several in codes.items()]
        )


async def reach_too(session: AsyncSession, led: Moves, *, number: int) -> None:
    """Activations reach a commune that is made of communes which they reached."""
    pairs = [(code, target) for code, targets in led.items() for target in targets]
    await session.execute(
        _REACHED_TOO,
        {
            "from_codes": [code for code, _ in pairs],
            "to_codes": [target for _, target in pairs],
            "number": number,
        },
    )


async def change(session: AsyncSession, code: str, **fields: Any) -> None:
    """Keep what became of an edition; ``fields`` are the table's columns."""
    await session.execute(
        update(Edition)
        .where(Edition.code == code)
        .values(fields)
        .execution_options(synchronize_session=False)
    )


async def list_changes(
    session: AsyncSession, edition: str, *, after: tuple[str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """What an edition in force changed, by codes, after a pair of them."""
    rows = await session.execute(
        _CHANGES,
        {
            "edition": edition,
            "after_from": after and after[0],
            "after_to": after and after[1],
            "limit": limit,
        },
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def list_waiting(
    session: AsyncSession, *, within: str | None, after: tuple[str, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Households that wait to be placed, by where they stand."""
    rows = await session.execute(
        _WAITING,
        {
            "within": within,
            "after_code": after and after[0],
            "after_id": after and after[1],
            "limit": limit,
        },
    )
    found: Sequence[Row[Any]] = rows.all()
    return found


async def lock_waiting(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """Those of the households that wait, for this transaction alone."""
    rows = await session.execute(_LOCK_WAITING, {"ids": list(ids)})
    return {row.household_id: row for row in rows.all()}


async def living(session: AsyncSession, codes: Collection[str]) -> frozenset[str]:
    """Those of the codes that are in the edition in force."""
    query = select(Area.code).where(Area.code.in_(codes), Area.ended_at.is_(None))
    return frozenset((await session.scalars(query)).all())


async def place(
    session: AsyncSession,
    household_id: UUID,
    *,
    from_code: str,
    commune: str,
    village: str | None,
    by: str,
    at: datetime,
) -> None:
    """Have a household that waits live in a commune; what is to be enrolled there finds it."""
    await session.execute(
        _PLACE,
        {
            "household_id": household_id,
            "commune": commune,
            "village": village,
            "by": by,
            "at": at,
        },
    )
    await session.execute(_REPLAN_PLACED, {"from_code": from_code, "to_code": commune})


async def count_following(session: AsyncSession, edition: str) -> tuple[int, int]:
    """How many households got another code by an edition, and how many wait since."""
    row = await session.execute(
        select(
            func.count(HouseholdFollowing.to_code),
            func.count() - func.count(HouseholdFollowing.to_code),
        ).where(HouseholdFollowing.edition == edition)
    )
    following, waiting = row.one()
    return following, waiting
