"""Instructions: how each payment stands, and everything that happened to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.payments.instructions import repository, service
from services.payments.instructions.schemas import InstructionHistoryOut, InstructionOut
from services.payments.instructions.states import Status
from services.payments.listing import ActivationFilter, page_of_rows
from services.payments.providers.schemas import ProviderCode
from services.payments.scopes import PaymentsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/instructions", tags=["instructions"])


@router.get("", summary="List instructions", responses=problem_responses(400, 401, 403, 422))
async def list_instructions(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
    activation_id: ActivationFilter = None,
    chunk_id: Annotated[UUID | None, Query(description="Only those of this chunk.")] = None,
    entitlement_id: Annotated[
        UUID | None, Query(description="Every attempt for this entitlement.")
    ] = None,
    provider: Annotated[
        ProviderCode | None, Query(description="Only those at this provider.")
    ] = None,
) -> PageOf[InstructionOut]:
    """Instructions in the order of their ids, which keeps those of a round together. Filters narrow
    each other."""
    rows = await repository.list_instructions(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        status=status,
        activation_id=activation_id,
        chunk_id=chunk_id,
        entitlement_id=entitlement_id,
        provider=provider,
    )
    return page_of_rows(page, rows, InstructionOut, key=lambda row: (row.id,))


@router.get(
    "/{instruction_id}",
    summary="Get an instruction",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_instruction(
    instruction_id: UUID, _: PaymentsRead, session: Session
) -> InstructionHistoryOut:
    """One payment with every move it made and every row it wrote in the ledger."""
    return await service.get_history(session, instruction_id)
