"""Entitlements over HTTP: one by one, with their reasons."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.registry.entitlements import service
from services.registry.entitlements.schemas import EntitlementExplainedOut, EntitlementOut
from services.registry.scopes import EntitlementsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter(tags=["entitlements"])


@router.get(
    "/entitlements",
    summary="List a household's entitlements",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_entitlements(
    caller: EntitlementsRead,
    session: Session,
    page: PageQuery,
    household_id: Annotated[UUID, Query(description="Whose entitlements.")],
) -> PageOf[EntitlementOut]:
    """What a household is owed, or was, in every activation and round."""
    return await service.of_household(session, household_id, caller=caller, page=page)


@router.get(
    "/households/{household_id}/entitlements",
    summary="List the entitlements of one household",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_household_entitlements(
    household_id: UUID, caller: EntitlementsRead, session: Session, page: PageQuery
) -> PageOf[EntitlementOut]:
    """The same list, found from the household."""
    return await service.of_household(session, household_id, caller=caller, page=page)


@router.get(
    "/entitlements/{entitlement_id}",
    summary="Explain one entitlement",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_entitlement(
    entitlement_id: UUID, caller: EntitlementsRead, session: Session
) -> EntitlementExplainedOut:
    """By which version and case of the scheme, and from which parts, its amount comes about. What
    is of somebody's health is shown to callers with `households:read-personal`."""
    return await service.explain(session, entitlement_id, caller=caller)
