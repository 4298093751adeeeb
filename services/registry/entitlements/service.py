"""Showing what households are owed, and why."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.entitlements import repository
from services.registry.entitlements.schemas import (
    AnnouncementOut,
    ComponentOut,
    EntitlementExplainedOut,
    EntitlementOut,
)
from services.registry.schemes.benefit import components
from services.registry.schemes.service import get_document
from shared.auth import Caller
from shared.errors import NotFound
from shared.pagination import Int2, Page, PageOf


async def of_household(
    session: AsyncSession, household_id: UUID, *, caller: Caller, page: Page
) -> PageOf[EntitlementOut]:
    """A page of a household's entitlements, as their activations arrived, round by round."""
    found = await repository.list_of_household(
        session,
        household_id,
        bound=caller.areas,
        after=page.after(datetime, UUID, Int2),
        limit=page.fetch_limit,
    )
    cut = page.of(found, key=lambda row: (row.received_at, row.activation_id, row.round))
    rows = [EntitlementOut.model_validate(row._asdict()) for row in cut.items]
    return PageOf(items=rows, next_cursor=cut.next_cursor)


async def explain(
    session: AsyncSession, entitlement_id: UUID, *, caller: Caller
) -> EntitlementExplainedOut:
    """An entitlement with the parts of its amount; raises NotFound."""
    row = await repository.find_explained(session, entitlement_id, bound=caller.areas)
    if row is None:
        raise NotFound("There is no such entitlement. GET /v1/entitlements lists a household's.")
    fields = row._asdict()
    document = await get_document(session, row.scheme, row.scheme_version)
    case = document.benefit[row.benefit_case - 1]
    parts = components(case, fields)
    announcements = await repository.announcements(session, entitlement_id)
    return EntitlementExplainedOut(
        **fields,
        benefit_where=case.where,
        eligibility=document.eligibility,
        announcements=[AnnouncementOut.model_validate(row._asdict()) for row in announcements],
        components=[
            ComponentOut(
                name=part.name,
                count=part.count,
                each_minor=part.each_minor,
                amount_minor=part.amount_minor,
            )
            for part in parts
        ],
    )
