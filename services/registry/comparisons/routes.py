"""Two versions of a scheme side by side, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from services.registry.comparisons import service
from services.registry.comparisons.schemas import CompareIn, CompareOut
from services.registry.scopes import HouseholdsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses

router = APIRouter(prefix="/schemes", tags=["schemes"])


@router.post(
    "/{code}/compare",
    summary="Compare two versions of a scheme",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def compare(
    code: Annotated[Code, Path(examples=["flood-2022"])],
    body: CompareIn,
    _: HouseholdsRead,
    session: Session,
    request: Request,
    clock: ClockDependency,
) -> CompareOut:
    """Who comes in, who falls out and whose amount changes, by area and feature; and what each side
    misses of a reference, and lets in besides. Counts alone: what is of a few households is hidden,
    with what would betray it.

    A POST because documents are long; it changes nothing.
    """
    least = request.app.state.settings.smallest_cell
    return await service.compare(session, code, body, least=least, clock=clock)
