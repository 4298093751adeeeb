"""What may happen to an indicator."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.indicators import repository
from services.triggers.indicators.schemas import IndicatorIn, IndicatorOut
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf


async def create(
    session: AsyncSession, body: IndicatorIn, *, caller: Caller, clock: Clock
) -> IndicatorOut:
    """Register an indicator; raises Conflict when its code is taken."""
    created = await repository.add_indicator(
        session,
        {**body.model_dump(), "created_at": clock.now(), "posted_by": caller.subject},
    )
    if created is None:
        raise Conflict(
            f"There is already an indicator '{body.code}', and indicators never change. "
            "Read it with GET /v1/indicators/{code}, or choose another code."
        )
    return IndicatorOut.model_validate(created)


async def get(session: AsyncSession, code: str) -> IndicatorOut:
    """The indicator; raises NotFound."""
    indicator = await repository.find_indicator(session, code)
    if indicator is None:
        raise NotFound(f"No indicator has the code '{code}'. GET /v1/indicators lists them.")
    return IndicatorOut.model_validate(indicator)


async def list_page(session: AsyncSession, page: Page) -> PageOf[IndicatorOut]:
    """A page of indicators, by code."""
    rows = await repository.list_indicators(session, after=page.after(str), limit=page.fetch_limit)
    return page.of(
        [IndicatorOut.model_validate(row) for row in rows],
        key=lambda indicator: (indicator.code,),
    )
