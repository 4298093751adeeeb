"""An instruction with everything that happened to it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions import repository
from services.payments.instructions.schemas import (
    InstructionHistoryOut,
    InstructionMoveOut,
    InstructionTransferOut,
    ReroutingOut,
)
from shared.bounds import Bound
from shared.errors import NotFound

MISSING = "There is no such instruction. GET /v1/instructions lists them."


async def get_history(
    session: AsyncSession, instruction_id: UUID, *, bound: Bound
) -> InstructionHistoryOut:
    """An instruction with its moves and transfers; raises NotFound."""
    row = await repository.find_instruction(session, instruction_id, bound=bound)
    if row is None:
        raise NotFound(MISSING)
    return InstructionHistoryOut(
        **row._mapping,
        moves=[
            InstructionMoveOut.model_validate(move._asdict())
            for move in await repository.moves_of(session, instruction_id)
        ],
        # A row of the ledger is of all that moved together, wherever they live.
        transfers=[]
        if bound
        else [
            InstructionTransferOut.model_validate(transfer._asdict())
            for transfer in await repository.transfers_of(session, instruction_id)
        ],
        reroutings=[
            ReroutingOut.model_validate(rerouting._asdict())
            for rerouting in await repository.reroutings_of(session, [instruction_id])
        ],
    )
