"""What may happen to a place."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.places import repository
from services.triggers.places.names import key_of
from services.triggers.places.schemas import PlaceIn, PlaceOut
from services.triggers.places.tables import Place, PlaceKind
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf


async def create(session: AsyncSession, body: PlaceIn, *, caller: Caller, clock: Clock) -> PlaceOut:
    """Put a place on the list; raises Conflict where its code or one of its names is taken."""
    created = await repository.add_place(
        session,
        {
            "code": body.code,
            "name": body.name,
            "kind": body.kind,
            "area_code": body.area,
            "latitude": body.latitude,
            "longitude": body.longitude,
            "created_at": clock.now(),
            "posted_by": caller.subject,
        },
    )
    if created is None:
        raise Conflict(
            f"There is already a place '{body.code}'. Read it with GET /v1/places/{{code}}, add a "
            "name to it, or choose another code."
        )
    await name(session, created, [body.name, body.code, *body.aliases], caller=caller, clock=clock)
    return await get(session, body.code)


async def name(
    session: AsyncSession, place: Place, spellings: Iterable[str], *, caller: Caller, clock: Clock
) -> None:
    """Let a place go by further names; raises Conflict where another place of its area has one."""
    given = list(spellings)
    await repository.add_names(session, place, given, at=clock.now(), by=caller.subject)
    wanted = {key_of(spelling) for spelling in given}
    for known in await repository.all_names(session):
        if (
            known.key in wanted
            and known.area == place.area_code
            and (known.place_code != place.code)
        ):
            raise Conflict(
                f"In area {place.area_code} the place '{known.place_code}' ({known.name}) goes by "
                f"the name '{known.key}'. Give this place another name."
            )


async def find(session: AsyncSession, code: str) -> Place:
    """The row of a place; raises NotFound."""
    place = await repository.find_place(session, code)
    if place is None:
        raise NotFound(f"No place has the code '{code}'. GET /v1/places lists them.")
    return place


async def get(session: AsyncSession, code: str) -> PlaceOut:
    """The place; raises NotFound."""
    place = await find(session, code)
    return _shown(place, (await repository.spellings_of(session, [code]))[code])


async def list_page(
    session: AsyncSession, page: Page, *, kind: PlaceKind | None
) -> PageOf[PlaceOut]:
    """A page of places, by code."""
    rows = await repository.list_places(
        session, kind=kind, after=page.after(str), limit=page.fetch_limit
    )
    spellings = await repository.spellings_of(session, [row.code for row in rows])
    return page.of(
        [_shown(row, spellings[row.code]) for row in rows], key=lambda place: (place.code,)
    )


def _shown(place: Place, spellings: list[str]) -> PlaceOut:
    own = {key_of(place.name), key_of(place.code)}
    return PlaceOut(
        code=place.code,
        name=place.name,
        aliases=[spelling for spelling in spellings if key_of(spelling) not in own],
        kind=place.kind,
        area=place.area_code,
        latitude=place.latitude,
        longitude=place.longitude,
        created_at=place.created_at,
        posted_by=place.posted_by,
    )
