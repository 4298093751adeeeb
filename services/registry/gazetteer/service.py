"""Areas listed, found by name and drawn."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository
from services.registry.areas.schemas import AreaListedOut, AreaNameOut, AreaOut
from services.registry.areas.service import get_area
from services.registry.areas.tables import COUNTRY_CODE, Area, Level
from services.registry.gazetteer.boundaries import collection_of, feature_of, has_boundary
from services.registry.gazetteer.matching import Found, Named, NameIndex
from shared.errors import NotFound, Unprocessable
from shared.pagination import Page, PageOf

_DIGITS_OF_A_LEVEL = 2


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which areas are asked for; what is None does not narrow."""

    level: Level | None
    parent: str | None
    within: str | None
    codes: str | None
    name: str | None


class KnownNames:
    """The names of the edition in force, ready to be searched: made once in each process."""

    def __init__(self) -> None:
        self._made: tuple[Any, NameIndex] | None = None
        self._making = asyncio.Lock()

    async def index(self, session: AsyncSession) -> NameIndex:
        """The index of what is in force now."""
        edition = await repository.edition_in_force(session)
        key = edition and (edition.code, edition.loaded_at)
        async with self._making:
            if self._made is None or self._made[0] != key:
                named = [
                    Named(row.code, row.level, row.name_en, row.name_km)
                    for row in await repository.living_names(session)
                ]
                self._made = (key, await asyncio.to_thread(NameIndex, named))
            return self._made[1]


async def list_page(
    session: AsyncSession, page: Page, *, names: KnownNames, chosen: Chosen
) -> PageOf[AreaListedOut]:
    """A page of areas: by code, or the most alike first; raises Unprocessable."""
    within = None if chosen.within == COUNTRY_CODE else chosen.within
    if chosen.name is not None:
        if chosen.codes is not None or chosen.parent is not None:
            raise Unprocessable("Search by name with level and within, not with codes or parent.")
        return await _found(session, page, names=names, chosen=chosen, within=within)
    areas = await repository.list_areas(
        session,
        codes=None if chosen.codes is None else chosen.codes.split(","),
        level=chosen.level,
        parent=chosen.parent,
        within=within,
        living=chosen.codes is None,
        after=page.after(str),
        limit=page.fetch_limit,
    )
    listed = await _listed(session, areas)
    return page.of(listed, key=lambda area: (area.code,))


async def _found(
    session: AsyncSession, page: Page, *, names: KnownNames, chosen: Chosen, within: str | None
) -> PageOf[AreaListedOut]:
    after = page.after(int, int, str)
    index = await names.index(session)
    found = await asyncio.to_thread(
        index.find, chosen.name or "", level=chosen.level, within=within
    )
    cut = page.of(
        [each for each in found if after is None or _place(each) > after][: page.fetch_limit],
        key=_place,
    )
    likeness = {each.code: each.likeness for each in cut.items}
    areas = await repository.list_areas(
        session,
        codes=list(likeness),
        level=None,
        parent=None,
        within=None,
        living=False,
        after=None,
        limit=page.limit,
    )
    by_code = {area.code: area for area in await _listed(session, areas)}
    return PageOf(
        items=[
            by_code[code].model_copy(update={"likeness": percent})
            for code, percent in likeness.items()
            if code in by_code
        ],
        next_cursor=cut.next_cursor,
    )


def _place(found: Found) -> tuple[int, int, str]:
    """Where it stands among those found."""
    return -found.likeness, len(found.code), found.code


async def _listed(session: AsyncSession, areas: Sequence[Area]) -> list[AreaListedOut]:
    above = {code for area in areas for code in _around(area.code)}
    named = await repository.names_of(session, above)
    return [
        AreaListedOut(
            **AreaOut.model_validate(area).model_dump(),
            path=[
                AreaNameOut(code=code, level=level, name_en=name_en, name_km=name_km)
                for code in _around(area.code)
                if code in named
                for level, name_en, name_km in [named[code]]
            ],
            likeness=None,
        )
        for area in areas
    ]


def _around(code: str) -> Iterable[str]:
    """The areas that one lies in, the largest first, without the country."""
    return [code[:digits] for digits in range(_DIGITS_OF_A_LEVEL, len(code), _DIGITS_OF_A_LEVEL)]


async def boundary_of(session: AsyncSession, code: str) -> bytes:
    """An area's boundary as a GeoJSON feature; raises NotFound."""
    area = await get_area(session, code)
    if not has_boundary(code):
        raise NotFound(
            f"No boundary of '{code}' comes with the registry. GET /v1/areas/{{code}}/boundaries "
            "draws the parts of an area that have one."
        )
    return feature_of(area)


async def boundaries_within(
    session: AsyncSession, code: str, page: Page, *, simplify_metres: int | None
) -> bytes:
    """A page of the parts of an area as a GeoJSON collection; raises NotFound."""
    await get_area(session, code)
    areas = await repository.list_areas(
        session,
        codes=None,
        level=None,
        parent=code,
        within=None,
        living=True,
        after=page.after(str),
        limit=page.fetch_limit,
    )
    cut = page.of(areas, key=lambda area: (area.code,))
    return await asyncio.to_thread(
        collection_of, cut.items, simplify_metres=simplify_metres, next_cursor=cut.next_cursor
    )
