"""The books as accountants read them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.payments.books import journal, service
from services.payments.books.schemas import TrialBalanceOut
from services.payments.moments import Moment
from services.payments.scopes import FundsRead
from shared.audit import Export, Taken
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.parquet import PARQUET
from shared.values import Instant

router = APIRouter(tags=["books"])

CSV = "text/csv"
_EXAMPLE = ",".join(journal.HEADER) + (
    "\r\n0199c1de-6100-7a54-8f62-0d6f0a6f5b12,2020-10-12T02:03:04.000000Z,settled,GRANTS_PAID,"
    "shock-response,IN_TRANSIT,mekong,48000000,KHR,4711,,,\r\n"
)
_JOURNAL_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            f"CSV with a header: {', '.join(journal.HEADER)}. With `Accept: {PARQUET}` the same "
            "rows as Parquet: ids as text, `posted_at` in microseconds of UTC, amounts and numbers "
            "as 64-bit integers, and in the footer's metadata the span and what each column "
            "means. The footer comes last: a file that broke off cannot be read at all."
        ),
        "content": {
            CSV: {"schema": {"type": "string"}, "example": _EXAMPLE},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get(
    "/trial-balance", summary="Get a trial balance", responses=problem_responses(401, 403, 422)
)
async def get_trial_balance(
    _: FundsRead, session: Session, clock: ClockDependency, at: Moment
) -> TrialBalanceOut:
    """The balance of every account now or at a past moment, in its debit or credit column: in each
    book and currency both columns come to the same."""
    return await service.trial_balance(session, at=at, clock=clock)


@router.get(
    "/journal",
    summary="Export the journal",
    response_class=StreamingResponse,
    responses={**_JOURNAL_REPLY, **problem_responses(401, 403, 422)},
)
async def export_journal(
    _: FundsRead,
    request: Request,
    clock: ClockDependency,
    begins_at: Annotated[
        Instant,
        Query(
            alias="from",
            description="From this moment on, with its offset from UTC.",
            examples=["2020-10-01T00:00:00+07:00"],
        ),
    ],
    until: Annotated[
        Instant,
        Query(
            alias="to",
            description="Up to this moment, which is five minutes back and belongs to the next "
            "span.",
            examples=["2020-11-01T00:00:00+07:00"],
        ),
    ],
) -> StreamingResponse:
    """Every transfer that was posted in a span, in the order of time, for an accounting system:
    ids, codes and amounts, no personal data. The same span is told the same each time; spans that
    follow one another have each transfer once. Who took it out stands in the audit record."""
    journal.require_closed(begins_at, until, now=clock.now())
    is_parquet = PARQUET in request.headers.get("accept", "")
    pieces = journal.parquet_pieces if is_parquet else journal.csv_pieces
    taken = Taken()
    return Export(
        request,
        pieces(request.app.state.database, begins_at, until, taken),
        taken,
        media_type=PARQUET if is_parquet else CSV,
        headers={"Vary": "Accept"},
    )
