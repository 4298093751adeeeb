"""Triggers over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.triggers.callers import TriggersRead, TriggersWrite
from services.triggers.definitions import service
from services.triggers.definitions.schemas import TriggerDocument, TriggerOut
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/triggers", tags=["triggers"])

TriggerCode = Annotated[str, Path(max_length=64, examples=["flood-reported-impact"])]


@router.post(
    "",
    status_code=201,
    response_model=TriggerOut,
    summary="Post a trigger",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def create_trigger(
    body: TriggerDocument,
    caller: TriggersWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Posts a trigger's first version; its indicator's new observations are judged by it."""
    return await once.reply(
        body,
        lambda: service.create(session, body, caller=caller, clock=clock),
    )


@router.get("", summary="List triggers", responses=problem_responses(400, 401, 403, 422))
async def list_triggers(_: TriggersRead, session: Session, page: PageQuery) -> PageOf[TriggerOut]:
    """Lists every trigger in the version in force, by code."""
    return await service.list_page(session, page)


@router.get("/{code}", summary="Read a trigger", responses=problem_responses(401, 403, 404, 422))
async def read_trigger(code: TriggerCode, _: TriggersRead, session: Session) -> TriggerOut:
    """Reads the version in force of one trigger."""
    return await service.get(session, code)


@router.post(
    "/{code}/versions",
    status_code=201,
    response_model=TriggerOut,
    summary="Post a further version of a trigger",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def create_version(
    code: TriggerCode,
    body: TriggerDocument,
    caller: TriggersWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Posts the whole document anew; it is in force at once, and earlier versions stay readable.

    Indicator, scheme, shock and method stay as they are: a change of those is another trigger.
    """
    return await once.reply(
        body,
        lambda: service.add_version(session, code, body, caller=caller, clock=clock),
    )


@router.get(
    "/{code}/versions",
    summary="List a trigger's versions",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_versions(
    code: TriggerCode, _: TriggersRead, session: Session, page: PageQuery
) -> PageOf[TriggerOut]:
    """Lists all versions of one trigger, newest first."""
    return await service.list_versions(session, code, page)


@router.get(
    "/{code}/versions/{version}",
    summary="Read one version of a trigger",
    responses=problem_responses(401, 403, 404, 422),
)
async def read_version(
    code: TriggerCode,
    version: Annotated[int, Path(ge=1, le=1_000_000, examples=[1])],
    _: TriggersRead,
    session: Session,
) -> TriggerOut:
    """Reads a version as it was posted, such as the one under which an activation was opened."""
    return await service.get_version(session, code, version)
