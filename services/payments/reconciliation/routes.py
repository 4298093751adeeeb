"""Statements of providers: taken, read line by line, and held against our books."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from services.payments.approvals.tables import ApprovalKind
from services.payments.reconciliation import service
from services.payments.reconciliation.kinds import Direction, StatementFormat
from services.payments.reconciliation.mapping import MAPPINGS
from services.payments.reconciliation.schemas import (
    SetAsideLineOut,
    StatementLineOut,
    StatementOut,
)
from services.payments.scopes import PaymentsRead, StatementsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents.routes import document_routes
from shared.errors import BadRequest, Unprocessable, problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import PageOf, PageQuery
from shared.values import Day

router = APIRouter(prefix="/statements", tags=["statements"])

mappings = document_routes(
    MAPPINGS,
    ApprovalKind.STATEMENT_MAPPING,
    prefix="/statement-mappings",
    tag="statement mappings",
    reader=PaymentsRead,
    writer=StatementsWrite,
    example_code="mekong",
    posted="Proposes how the CSV of the provider with this code is read.",
    versioned="Holds for files that come from now on; those read before stay as they were read.",
)

ProviderQuery = Annotated[
    str,
    Query(pattern="^[a-z0-9-]{1,32}$", max_length=32, description="The provider's code."),
]
DayQuery = Annotated[Day, Query(description="The day, in the country's zone.")]

_FORMATS = {
    "text/csv": StatementFormat.CSV,
    "application/xml": StatementFormat.CAMT_053,
}

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "Time,Transaction ID,Correlation ID,Type,Amount,Currency,Balance\n"
                "2020-10-17T10:14:16,MK-8812-0001,0199c1de53a17f6b8a272f1f6a1d9a10,disbursement,"
                "96000,KHR,999904000\n",
            },
            "application/xml": {
                "schema": {"type": "string"},
                "example": '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
                "<BkToCstmrStmt><Stmt>…</Stmt></BkToCstmrStmt></Document>",
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=StatementOut,
    summary="Send a provider's statement",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422),
    openapi_extra={**_BODY, **limited(is_streamed=True)},
)
async def send(
    provider: ProviderQuery,
    day: DayQuery,
    request: Request,
    caller: StatementsWrite,
    session: Session,
    once: Once,
    clock: ClockDependency,
) -> Response:
    """What a provider says of a day, as CSV (read by its statement mapping) or as camt.053. Every
    line is held against our books by reference and amount, at once. A line that cannot be read is
    set aside and the rest goes on; the same file twice changes nothing; another file of the same
    provider and day takes the place of the one before."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip()
    if media_type not in _FORMATS:
        raise Unprocessable(f"Send the statement as {' or '.join(_FORMATS)}.")
    settings = request.app.state.settings
    try:
        async with request.app.state.statement_places.held(caller.subject):
            uploaded = await service.read_upload(
                request.app.state.database,
                request.stream(),
                provider=provider,
                day=day,
                format=_FORMATS[media_type],
                maximum_bytes=settings.statement_maximum_bytes,
                clock=clock,
            )
            return await once.reply(
                {
                    "provider": provider,
                    "day": day,
                    "format": uploaded.format,
                    "sha256": uploaded.received.digest.hex(),
                },
                lambda: service.take(session, uploaded, caller=caller, clock=clock),
            )
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None


@router.get("", summary="List statements", responses=problem_responses(400, 401, 403, 422))
async def list_statements(
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    provider: Annotated[
        str | None,
        Query(pattern="^[a-z0-9-]{1,32}$", max_length=32, description="Only this provider's."),
    ] = None,
    day: Annotated[Day | None, Query(description="Only those about this day.")] = None,
) -> PageOf[StatementOut]:
    """Every statement that was taken, the newest first; those that a corrected one took the place
    of say by which."""
    return await service.list_page(session, page, provider=provider, day=day)


StatementId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]


@router.get(
    "/{statement_id}", summary="Get a statement", responses=problem_responses(401, 403, 404, 422)
)
async def get_statement(
    statement_id: StatementId, _: PaymentsRead, session: Session
) -> StatementOut:
    """What a statement comes to, and how many of its differences have no end yet."""
    return await service.get(session, statement_id)


@router.get(
    "/{statement_id}/lines",
    summary="List a statement's lines",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_lines(
    statement_id: StatementId,
    _: PaymentsRead,
    session: Session,
    page: PageQuery,
    direction: Annotated[Direction | None, Query(description="Only those this way.")] = None,
    instruction_id: Annotated[
        UUID | None, Query(description="Only those of this payment of ours.")
    ] = None,
    reference: Annotated[
        str | None,
        Query(
            pattern="^[!-~]+$",
            max_length=64,
            description="Only those with this reference of the provider's.",
        ),
    ] = None,
    differs: Annotated[
        bool, Query(description="Only those with an open difference to our books.")
    ] = False,
) -> PageOf[StatementLineOut]:
    """The lines that were read, in the order of the file."""
    return await service.list_lines(
        session,
        statement_id,
        page,
        direction=direction,
        instruction_id=instruction_id,
        reference=reference,
        differs=differs,
    )


@router.get(
    "/{statement_id}/set-aside",
    summary="List a statement's lines that could not be read",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_set_aside(
    statement_id: StatementId, _: PaymentsRead, session: Session, page: PageQuery
) -> PageOf[SetAsideLineOut]:
    """Which lines were set aside, and why. What they said is not repeated."""
    return await service.list_set_aside(session, statement_id, page)
