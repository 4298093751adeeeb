"""Instructions: how each payment stands, and what an officer may decide."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.payments.instructions import repository, service
from services.payments.instructions.schemas import (
    AttemptIn,
    CancellationIn,
    Instruction,
    InstructionHistory,
    ResolutionIn,
)
from services.payments.instructions.states import Status
from services.payments.scopes import PaymentsRead, PaymentsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/instructions", tags=["instructions"])


@router.get("", summary="List instructions", responses=problem_responses(400, 401, 403, 422))
async def list_instructions(
    caller: PaymentsRead,
    session: Session,
    page: PageQuery,
    status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
    activation_id: Annotated[
        UUID | None, Query(description="Only those of this activation.")
    ] = None,
    chunk_id: Annotated[UUID | None, Query(description="Only those of this chunk.")] = None,
    entitlement_id: Annotated[
        UUID | None, Query(description="Every attempt for this entitlement.")
    ] = None,
    provider: Annotated[
        str | None, Query(max_length=32, description="Only those at this provider.")
    ] = None,
) -> PageOf[Instruction]:
    """Instructions in the order in which they were raised; filters narrow each other."""
    after = decode_cursor(page.cursor, UUID)[0] if page.cursor else UUID(int=0)
    instructions = await repository.list_instructions(
        session,
        after=after,
        limit=page.limit + 1,
        filters={
            "status": status.value if status else None,
            "activation_id": activation_id,
            "chunk_id": chunk_id,
            "entitlement_id": entitlement_id,
            "provider": provider,
        },
    )
    return page_of(instructions, page=page, key=lambda instruction: (instruction.id,))


@router.get(
    "/{instruction_id}",
    summary="Get an instruction",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_instruction(
    instruction_id: UUID, caller: PaymentsRead, session: Session
) -> InstructionHistory:
    """One payment with every move it made and every row it wrote in the ledger."""
    return await service.get_history(session, instruction_id)


@router.post(
    "/{instruction_id}/attempts",
    status_code=201,
    response_model=InstructionHistory,
    summary="Try a rejected payment again",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def attempt_again(
    instruction_id: UUID,
    body: AttemptIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """Raises a new instruction after a definite rejection, with money reserved anew."""
    return await once.reply(
        body,
        lambda: service.attempt_again(session, instruction_id, reason=body.reason, at=clock.now()),
        status_code=201,
    )


@router.post(
    "/{instruction_id}/resolution",
    status_code=201,
    response_model=InstructionHistory,
    summary="Resolve a held payment",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def resolve(
    instruction_id: UUID,
    body: ResolutionIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """Records an officer's decision where the provider's answers contradict our order or each
    other; a settled payment that came back is recorded as returned."""
    return await once.reply(
        body,
        lambda: service.resolve(
            session,
            instruction_id,
            Status(body.outcome),
            reason=body.reason,
            actor=caller.subject,
            at=clock.now(),
        ),
        status_code=201,
    )


@router.post(
    "/{instruction_id}/cancellation",
    status_code=201,
    response_model=InstructionHistory,
    summary="Cancel a payment",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def cancel(
    instruction_id: UUID,
    body: CancellationIn,
    caller: PaymentsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """Takes a payment out that was not sent yet; what was reserved for it is free again."""
    return await once.reply(
        body,
        lambda: service.cancel(
            session, instruction_id, reason=body.reason, actor=caller.subject, at=clock.now()
        ),
        status_code=201,
    )
