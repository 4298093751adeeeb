"""Making the report of a provider and day: "everything matches", or exactly what does not."""

from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.differences import repository as differences
from services.payments.differences.repository import DifferenceStatus, Filter
from services.payments.differences.service import shown
from services.payments.differences.ways import what_to_do
from services.payments.reconciliation import repository as statements
from services.payments.reconciliation.balances.repository import books_at, current_statement
from services.payments.reconciliation.kinds import DifferenceKind
from services.payments.reconciliation.schemas import SetAsideLineOut, StatementOut
from services.payments.reconciliation.service import bounds_of, statement_of
from services.payments.reports import repository
from services.payments.reports.schemas import (
    BalancesOut,
    OpenKindOut,
    ReconciliationOut,
    ResolvedOut,
    SupersededOut,
)
from services.payments.reports.wording import no_statement, verdict
from services.payments.statements import AnyRow
from shared.clock import Clock
from shared.errors import NotFound

LISTED = 1_000
"""Differences, and lines set aside, that a report lists."""
_SUPERSEDED_LISTED = 20


async def report_of(
    session: AsyncSession, *, provider: str, day: date, clock: Clock
) -> ReconciliationOut:
    """The report of a provider and day, as both stand now; raises NotFound."""
    found = await statements.find_provider(session, provider)
    if found is None:
        raise NotFound(f"There is no provider {provider}. GET /v1/providers lists them.")
    begins_at, ends_at = bounds_of(day)
    paid = await repository.paid_between(
        session, provider_number=found.number, begins_at=begins_at, ends_at=ends_at
    )
    superseded = await repository.superseded_statements(
        session, provider_number=found.number, day=day, limit=_SUPERSEDED_LISTED
    )
    report = ReconciliationOut(
        provider=provider,
        day=day,
        currency=found.currency,
        everything_matches=False,
        verdict=no_statement(provider, f"{day}").en,
        statement=None,
        superseded=[SupersededOut.model_validate(row._asdict()) for row in superseded],
        paid_count=paid.payments,
        paid_minor=paid.minor,
        agreeing_count=0,
        open=[],
        explained_count=0,
        resolved_count=0,
        balances=None,
        differences=[],
        resolved=[],
        set_aside=[],
        is_whole=True,
    )
    current = await current_statement(session, provider_number=found.number, day=day)
    if current is None:
        return report
    statement = await statement_of(session, current.number)
    return report.model_copy(
        update=await _of_statement(
            session,
            current.number,
            statement,
            provider_number=found.number,
            ends_at=ends_at,
            now=clock.now(),
        )
    )


async def _of_statement(
    session: AsyncSession,
    number: int,
    statement: StatementOut,
    *,
    provider_number: int,
    ends_at: datetime,
    now: datetime,
) -> dict[str, object]:
    """What a report says where there is a statement."""
    by_kind = await repository.open_by_kind(session, number)
    ended = await repository.ended_of(session, number)
    listed = await differences.list_differences(
        session,
        Filter(status=DifferenceStatus.OPEN, statement_id=statement.id),
        after=None,
        limit=LISTED,
    )
    resolved = await repository.resolved_of(session, number, limit=LISTED)
    faults = await statements.list_faults(session, number, after=None, limit=LISTED)
    open_count = sum(row.differences for row in by_kind)
    return {
        "everything_matches": not open_count and not statement.set_aside_count,
        "verdict": verdict(
            statement, open_count=open_count, resolved_count=ended.resolved_count
        ).en,
        "statement": statement,
        "agreeing_count": statement.line_count - ended.open_lines,
        "open": [_kind(row, now=now) for row in by_kind],
        "explained_count": ended.explained_count,
        "resolved_count": ended.resolved_count,
        "balances": await _balances(
            session, statement, provider_number=provider_number, ends_at=ends_at
        ),
        "differences": [shown(row, now=now) for row in listed],
        "resolved": [ResolvedOut.model_validate(row) for row in resolved],
        "set_aside": [SetAsideLineOut.model_validate(row._asdict()) for row in faults],
        "is_whole": max(open_count, ended.resolved_count, statement.set_aside_count) <= LISTED,
    }


async def _balances(
    session: AsyncSession, statement: StatementOut, *, provider_number: int, ends_at: datetime
) -> BalancesOut:
    before = await current_statement(
        session, provider_number=provider_number, day=statement.day - timedelta(days=1)
    )
    books = await books_at(
        session, provider_number=provider_number, day=statement.day, ends_at=ends_at
    )
    return BalancesOut(
        closing_before_minor=None if before is None else before.closing_minor,
        opening_minor=statement.opening_minor,
        net_minor=statement.in_minor - statement.out_minor,
        closing_minor=statement.closing_minor,
        float_minor=books.float_minor,
        in_transit_minor=books.in_transit_minor,
        told_later_minor=books.told_later_minor,
        expected_minor=books.expected_minor,
    )


def _kind(row: AnyRow, *, now: datetime) -> OpenKindOut:
    kind = DifferenceKind(row.kind)
    return OpenKindOut(
        kind=kind,
        count=row.differences,
        statement_minor=row.statement_minor,
        ledger_minor=row.ledger_minor,
        suspense_minor=row.suspense_minor,
        oldest_age_seconds=int((now - row.found_at).total_seconds()),
        what_to_do=what_to_do(kind),
    )
