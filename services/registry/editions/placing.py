"""Households that an edition lost: who waits, and where persons say that they live."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository as areas
from services.registry.areas.tables import COUNTRY_CODE, Level
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.editions import repository
from services.registry.editions.comparing import (
    DIGITS,
    LEVEL_OF,
)
from services.registry.editions.schemas import (
    PlacedOut,
    PlacementsIn,
    PlacementsOut,
    WaitingOut,
)
from shared import audit
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Unprocessable
from shared.pagination import Page, PageOf

_COMMUNE_DIGITS = DIGITS[Level.COMMUNE]


async def list_waiting(
    session: AsyncSession, page: Page, *, within: str | None, clock: Clock
) -> PageOf[WaitingOut]:
    """A page of the households that nobody could place yet."""
    rows = await repository.list_waiting(
        session,
        within=None if within == COUNTRY_CODE else within,
        after=page.after(str, UUID),
        limit=page.fetch_limit,
    )
    now = clock.now()
    waiting = [
        WaitingOut(**row._asdict(), waits_days=max(0, (now - row.waits_since).days)) for row in rows
    ]
    return page.of(waiting, key=lambda listed: (listed.area_code, listed.household_id))


async def place(
    session: AsyncSession, given: PlacementsIn, *, caller: Caller, clock: Clock
) -> PlacementsOut:
    """Have households live where a person says; each by itself: what is wrong says why."""
    await areas.have_fence(session)
    wanted = {placement.household_id: placement.code for placement in given.placements}
    if len(wanted) < len(given.placements):
        raise Unprocessable("A household is named twice. Say of each once where it lives.")
    living = await repository.living(session, set(wanted.values()))
    waiting = await repository.lock_waiting(session, sorted(wanted))
    details: dict[UUID, str | None] = {}
    for household_id, code in sorted(wanted.items()):
        commune = code[:_COMMUNE_DIGITS]
        row = waiting.get(household_id)
        if row is None:
            details[household_id] = (
                "It does not wait to be placed. GET /v1/gazetteer/waiting lists those that do."
            )
        elif commune not in row.choices or code not in living:
            details[household_id] = (
                f"It is in one of {', '.join(row.choices)}, or in a village there."
            )
        else:
            details[household_id] = None
            await say(
                session,
                Said(
                    kind=ChangeKind.AREA_CHANGED,
                    by=caller.subject,
                    at=clock.now(),
                    reason=given.reason,
                ),
            )
            await repository.place(
                session,
                household_id,
                from_code=row.from_code,
                commune=commune,
                village=code if LEVEL_OF[len(code)] is Level.VILLAGE else None,
                by=caller.subject,
                at=clock.now(),
            )
            await audit.record(
                session,
                f"households/{household_id}",
                before={"area_code": row.from_code},
                after={"area_code": commune, "code": code},
                reason=given.reason,
            )
    return PlacementsOut(
        placements=[
            PlacedOut(
                household_id=placement.household_id,
                placed=details[placement.household_id] is None,
                detail=details[placement.household_id],
            )
            for placement in given.placements
        ]
    )
