"""Showing what households are owed, and why."""

from collections.abc import Mapping
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
from services.registry.households.shape import CATEGORIES
from services.registry.schemes.benefit import components
from services.registry.schemes.document import BenefitCase
from services.registry.schemes.service import get_document
from services.registry.scopes import READ_PERSONAL
from shared.auth import Caller
from shared.errors import NotFound
from shared.pagination import Int2, Page, PageOf

_OF_HEALTH = tuple(category.name for category in CATEGORIES if category.sensitive)


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
    shows_health = READ_PERSONAL in caller.scopes
    parts = _parts(case, fields, shows_health=shows_health)
    if not shows_health:
        fields |= dict.fromkeys(_OF_HEALTH)
    announcements = await repository.announcements(session, entitlement_id)
    return EntitlementExplainedOut(
        **fields,
        benefit_where=case.where,
        eligibility=document.eligibility,
        announcements=[AnnouncementOut.model_validate(row._asdict()) for row in announcements],
        components=parts,
    )


def _parts(
    case: BenefitCase, counts: Mapping[str, int], *, shows_health: bool
) -> list[ComponentOut]:
    """The parts of an amount. Where health is not shown, one that nobody of the household counts
    for is told as one that somebody does."""
    told = [
        ComponentOut(
            name=part.name,
            count=part.count,
            each_minor=part.each_minor,
            amount_minor=part.amount_minor,
        )
        for part in components(case, counts)
        if shows_health or part.name not in _OF_HEALTH
    ]
    if shows_health:
        return told
    return told + [
        ComponentOut(name=name, count=None, each_minor=each_minor, amount_minor=None)
        for name in _OF_HEALTH
        if (each_minor := getattr(case.per_category, name))
    ]
