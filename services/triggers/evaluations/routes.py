"""Evaluations over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.triggers.evaluations import service
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.scopes import TriggersRead
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/triggers/{code}/evaluations", tags=["evaluations"])


@router.get(
    "",
    summary="List a trigger's evaluations",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_evaluations(
    code: Annotated[Code, Path(examples=["flood-reported-impact"])],
    _: TriggersRead,
    session: Session,
    page: PageQuery,
    stage: TriggerStage | None = None,
) -> PageOf[EvaluationOut]:
    """Lists every judgement of the trigger with its evidence, newest first."""
    return await service.list_page(session, code, stage=stage, page=page)
