"""Beginning sweeps, and what they found."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.states import Status
from services.payments.statements import AnyRow
from services.payments.sweeps import repository
from services.payments.sweeps.schemas import SweepIn, SweepItemOut, SweepOut
from services.payments.sweeps.tables import Finding
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf

MISSING = "There is no such sweep. GET /v1/sweeps lists them."


async def begin(
    session: AsyncSession,
    body: SweepIn,
    *,
    configured: Sequence[str],
    caller: Caller,
    clock: Clock,
) -> SweepOut:
    """Choose the payments that are asked about; raises Conflict where there is none."""
    sweep_id = new_id()
    await repository.insert_sweep(
        session,
        sweep_id,
        activation_id=body.activation_id,
        provider=body.provider,
        statuses=body.statuses,
        sample=body.sample,
        configured=configured,
        by=caller.subject,
        at=clock.now(),
    )
    begun = await get(session, sweep_id)
    if begun.count == 0:
        raise Conflict(
            "There is no such payment at a provider of the settings: nothing can be asked."
        )
    return begun


async def get(session: AsyncSession, sweep_id: UUID) -> SweepOut:
    """A sweep and how far it is; raises NotFound."""
    [shown] = await _shown(session, [await _require(session, sweep_id)])
    return shown


async def list_page(session: AsyncSession, page: Page) -> PageOf[SweepOut]:
    """A page of sweeps, oldest first."""
    rows = await repository.list_sweeps(session, after=page.after(UUID), limit=page.fetch_limit)
    found = page.of(rows, key=lambda row: (row.id,))
    return PageOf(items=await _shown(session, found.items), next_cursor=found.next_cursor)


async def list_items(
    session: AsyncSession, sweep_id: UUID, page: Page, *, finding: Finding | None
) -> PageOf[SweepItemOut]:
    """A page of a sweep's payments; raises NotFound."""
    await _require(session, sweep_id)
    rows = await repository.list_items(
        session, sweep_id, finding=finding, after=page.after(UUID), limit=page.fetch_limit
    )
    items = [SweepItemOut.model_validate(row._asdict()) for row in rows]
    return page.of(items, key=lambda item: (item.instruction_id,))


async def last_finished(session: AsyncSession) -> SweepOut | None:
    """The sweep that was finished last; None: there was none."""
    row = await repository.last_finished(session)
    if row is None:
        return None
    [shown] = await _shown(session, [row])
    return shown


async def _require(session: AsyncSession, sweep_id: UUID) -> AnyRow:
    row = await repository.find_sweep(session, sweep_id)
    if row is None:
        raise NotFound(MISSING)
    return row


async def _shown(session: AsyncSession, rows: Sequence[AnyRow]) -> list[SweepOut]:
    counts = await repository.counts_of(session, [row.id for row in rows])
    return [_out(row, counts.get(row.id)) for row in rows]


def _out(row: AnyRow, counted: AnyRow | None) -> SweepOut:
    return SweepOut(
        id=row.id,
        activation_id=row.activation_id,
        provider=row.provider,
        statuses=[
            status
            for status, included in (
                (Status.SETTLED, row.settled),
                (Status.REJECTED, row.rejected),
            )
            if included
        ],
        sample=row.sample,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        count=counted.payments if counted else 0,
        asked_count=counted.asked_count if counted else 0,
        agreeing_count=counted.agreeing_count if counted else 0,
        differing_count=counted.differing_count if counted else 0,
        unanswered_count=counted.unanswered_count if counted else 0,
    )
