"""What is asked of the database about places."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.places.names import PlaceName, key_of
from services.triggers.places.tables import Place, PlaceAlias, PlaceKind


async def add_place(session: AsyncSession, place: dict[str, object]) -> Place | None:
    """The new row, or None where the code is taken."""
    statement = insert(Place).values(place).on_conflict_do_nothing().returning(Place)
    return (await session.scalars(statement)).one_or_none()


async def add_names(
    session: AsyncSession, place: Place, spellings: Iterable[str], *, at: datetime, by: str
) -> None:
    """Let a place go by these names; one that it has is kept as it was spelt first."""
    # One row for each key: the spellings of one batch may share it.
    by_key = {key_of(spelling): spelling for spelling in reversed(list(spellings))}
    await session.execute(
        insert(PlaceAlias)
        .values(
            [
                {
                    "area_code": place.area_code,
                    "key": key,
                    "place_code": place.code,
                    "spelling": spelling,
                    "added_at": at,
                    "added_by": by,
                }
                for key, spelling in sorted(by_key.items())
            ]
        )
        .on_conflict_do_nothing()
    )


async def find_place(session: AsyncSession, code: str) -> Place | None:
    return await session.scalar(select(Place).where(Place.code == code))


async def spellings_of(session: AsyncSession, codes: Collection[str]) -> dict[str, list[str]]:
    """The names that places go by, in the order in which they came."""
    statement = (
        select(PlaceAlias.place_code, PlaceAlias.spelling)
        .where(PlaceAlias.place_code.in_(codes))
        .order_by(PlaceAlias.added_at, PlaceAlias.key)
    )
    found: dict[str, list[str]] = {code: [] for code in codes}
    for row in await session.execute(statement):
        found[row.place_code].append(row.spelling)
    return found


async def list_places(
    session: AsyncSession, *, kind: PlaceKind | None, after: str | None, limit: int
) -> list[Place]:
    statement = select(Place).order_by(Place.code).limit(limit)
    if kind is not None:
        statement = statement.where(Place.kind == kind)
    if after is not None:
        statement = statement.where(Place.code > after)
    return list(await session.scalars(statement))


async def all_names(session: AsyncSession) -> Sequence[PlaceName]:
    """Every name of every place."""
    rows = await session.execute(
        select(PlaceAlias.area_code, PlaceAlias.key, PlaceAlias.place_code, Place.name).join(
            Place, Place.code == PlaceAlias.place_code
        )
    )
    return [PlaceName(*row) for row in rows]
