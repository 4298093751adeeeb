"""The audit record over HTTP: the same routes in every service."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from shared.audit import repository
from shared.audit.schemas import AuditHeadOut, AuditRecordOut
from shared.auth import Caller, require
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery
from shared.values import Instant, Text

router = APIRouter(prefix="/audit", tags=["audit"])

AuditRead = Annotated[Caller, require("audit:read")]


_MAXIMUM_CHARACTERS = 300


@router.get("", summary="Read the audit record", responses=problem_responses(400, 401, 403, 422))
async def list_records(
    _: AuditRead,
    session: Session,
    request: Request,
    page: PageQuery,
    subject: Annotated[
        Annotated[str, Text(longest=_MAXIMUM_CHARACTERS)] | None,
        Query(description="Only what this one did."),
    ] = None,
    about: Annotated[
        Annotated[str, Text(longest=_MAXIMUM_CHARACTERS)] | None,
        Query(
            alias="object",
            description="Only what is about this thing.",
            examples=["funds/shock-response"],
        ),
    ] = None,
    operation: Annotated[
        Annotated[str, Text(longest=_MAXIMUM_CHARACTERS)] | None,
        Query(
            description="Only this operation.",
            examples=["POST /v1/funds/{fund_code}/deposits"],
        ),
    ] = None,
    request_id: Annotated[
        UUID | None, Query(description="Only what this request did: its answer's X-Request-ID.")
    ] = None,
    recorded_from: Annotated[
        Instant | None, Query(alias="from", description="Only from this instant on.")
    ] = None,
    recorded_to: Annotated[
        Instant | None, Query(alias="to", description="Only before this instant.")
    ] = None,
) -> PageOf[AuditRecordOut]:
    """Each change, export, and read of unmasked personal values, the newest first.

    What is personal of a change is shown as it is kept: sealed. It is never opened here.
    """
    rows = await repository.list_records(
        session,
        request.app.state.settings.service,
        subject=subject,
        about=about,
        operation=operation,
        request_id=request_id,
        recorded_from=recorded_from,
        recorded_to=recorded_to,
        before=page.after(datetime, UUID),
        limit=page.fetch_limit,
    )
    records = [AuditRecordOut.model_validate(row._asdict()) for row in rows]
    return page.of(records, key=lambda listed: (listed.recorded_at, listed.id))


@router.get(
    "/head", summary="Read the end of the audit chain", responses=problem_responses(401, 403)
)
async def read_head(_: AuditRead, session: Session, request: Request) -> AuditHeadOut:
    """What to write down, so that a chain that is cut off or made anew later is found out."""
    service = request.app.state.settings.service
    last = await repository.last_link(session, service)
    return AuditHeadOut(
        head=f"{service}={last.head}",
        sequence=last.head.sequence,
        waiting=await repository.count_waiting(session, service, last.position),
    )
