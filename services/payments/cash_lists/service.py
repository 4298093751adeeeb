"""Lists from which cash is paid out, and what is uploaded of them, for a second person."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.cash_lists import repository
from services.payments.cash_lists.reading import IssuedList, ResultRow, Unreadable, read_rows
from services.payments.cash_lists.schemas import (
    CashLineOut,
    CashListOut,
    CashUploadOut,
    CashUploadRowOut,
)
from services.payments.cash_lists.sheet import paper_of
from services.payments.cash_lists.states import CashListState
from services.payments.providers.cashlist.listing import ListedPayment, content_of, list_code
from services.payments.providers.cashlist.states import LineOutcome, UploadStatus
from services.payments.statements import AnyRow
from shared.approvals import Approval, Effect, Step, Steps, service
from shared.auth import Caller
from shared.bounds import Bound
from shared.clock import Clock
from shared.errors import NotFound, Unprocessable
from shared.ids import new_id
from shared.money import Money
from shared.pagination import Int4, Page, PageOf
from shared.payee_codes import payee_code
from shared.printing import Paper

MISSING = "There is no such list. GET /v1/cash-lists lists them."
MISSING_UPLOAD = (
    "There is no such upload about this list. GET /v1/cash-lists/{list_id}/results lists them."
)


def cash_results_step(waits: timedelta) -> Step:
    """Results of a list as a step that needs two persons: whoever uploaded them is the first."""

    async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
        list_id = UUID(proposal.document["list_id"])
        await repository.lock_list(session, list_id)
        await repository.bring(session, proposal.id, list_id)
        return f"/v1/cash-lists/{list_id}/results/{proposal.id}"

    async def turned_down(session: AsyncSession, proposal: Approval, clock: Clock) -> None:
        await repository.decline(session, proposal.id)

    return Step(
        kind=ApprovalKind.CASH_RESULTS, waits=waits, carry_out=carry_out, turned_down=turned_down
    )


async def require_theirs(session: AsyncSession, list_id: UUID, *, bound: Bound) -> None:
    """Raises NotFound where a list is not of a commune in a caller's areas."""
    if not await repository.is_within(session, list_id, bound=bound):
        raise NotFound(MISSING)


async def list_page(
    session: AsyncSession,
    page: Page,
    *,
    state: CashListState | None,
    provider: str | None,
    area_code: str | None,
    bound: Bound,
    clock: Clock,
) -> PageOf[CashListOut]:
    """A page of lists, the oldest first."""
    rows = await repository.list_lists(
        session,
        after=page.after(UUID),
        limit=page.fetch_limit,
        today=clock.today(),
        state=state,
        provider=provider,
        area_code=area_code,
        bound=bound,
    )
    found = page.of(rows, key=lambda row: (row.id,))
    return PageOf(
        items=await _shown(session, found.items, clock=clock), next_cursor=found.next_cursor
    )


async def get(session: AsyncSession, list_id: UUID, *, clock: Clock) -> CashListOut:
    """A list as it stands; raises NotFound."""
    row = await get_row(session, list_id, clock=clock)
    [shown] = await _shown(session, [row], clock=clock)
    return shown


async def list_lines(
    session: AsyncSession, list_id: UUID, page: Page, *, clock: Clock
) -> PageOf[CashLineOut]:
    """A page of a list's lines; raises NotFound."""
    await get_row(session, list_id, clock=clock)
    rows = await repository.lines_of(
        session, list_id, after=page.after(Int4), limit=page.fetch_limit
    )
    lines = [
        CashLineOut.model_validate({**row._asdict(), "code": payee_code(row.entitlement_id)})
        for row in rows
    ]
    return page.of(lines, key=lambda line: (line.number,))


async def sheet_csv(session: AsyncSession, list_id: UUID, *, clock: Clock) -> tuple[str, bytes]:
    """A list's code, and its CSV as it was signed; raises NotFound."""
    row = await get_row(session, list_id, clock=clock)
    code = list_code(row.number, row.id)
    return code, content_of(code, await payments_of(session, row))


async def sheet_paper(session: AsyncSession, list_id: UUID, *, clock: Clock) -> Paper:
    """A list as it is printed; raises NotFound."""
    row = await get_row(session, list_id, clock=clock)
    return paper_of(row, await payments_of(session, row))


async def payments_of(session: AsyncSession, row: AnyRow) -> list[ListedPayment]:
    """The lines of a list as they are printed."""
    return [
        ListedPayment(line.number, line.entitlement_id, Money(line.amount_minor, row.currency))
        for line in await repository.lines_of(session, row.id)
    ]


async def upload(
    session: AsyncSession,
    steps: Steps,
    list_id: UUID,
    content: bytes,
    *,
    caller: Caller,
    clock: Clock,
) -> CashUploadOut:
    """Keep what is said of a list's lines; it holds once another person approves it.

    The same file again is the same upload. Raises NotFound, and Unprocessable for what is no file
    of results.
    """
    row = await get_row(session, list_id, clock=clock)
    # What goes back, and what is said of it, come one after the other.
    await repository.lock_list(session, list_id)
    digest = hashlib.sha256(content).digest()
    for same_id in await repository.find_same(session, list_id, digest):
        same = await get_upload(session, steps, list_id, same_id, clock=clock)
        if same.proposal is None or same.proposal.status in ("waiting", "approved"):
            return same
    lines = {payment.number: payment for payment in await payments_of(session, row)}
    issued = IssuedList(list_code(row.number, row.id), row.made_on, lines)
    read = read_rows(content, issued, today=clock.today())
    if isinstance(read, Unreadable):
        raise Unprocessable(f"Nothing of it is taken. {read.detail}")
    new = _new_of(read, said=await repository.said_of(session, list_id))
    upload_id = new_id()
    set_aside = sum(result.fault is not None for result in read)
    kept = {
        "id": upload_id,
        "list_id": list_id,
        "content_digest": digest,
        "status": UploadStatus.WAITING if new else UploadStatus.NOTHING_NEW,
        "new_count": len(new),
        "repeated_count": len(read) - len(new) - set_aside,
        "set_aside_count": set_aside,
        "uploaded_by": caller.subject,
        "uploaded_at": clock.now(),
    }
    await repository.insert_upload(
        session, kept, [{**asdict(result), "is_new": result.row in new} for result in read]
    )
    proposal = None
    if new:
        proposal = await service.propose(
            session,
            steps,
            ApprovalKind.CASH_RESULTS,
            {"list_id": str(list_id), "list": issued.code, "sha256": digest.hex()},
            _effect(issued, [result for result in read if result.row in new], row.currency),
            reason=None,
            caller=caller,
            clock=clock,
            approval_id=upload_id,
        )
    return CashUploadOut.model_validate({**kept, "proposal": proposal})


async def get_upload(
    session: AsyncSession, steps: Steps, list_id: UUID, upload_id: UUID, *, clock: Clock
) -> CashUploadOut:
    """What was uploaded about a list; raises NotFound."""
    row = await repository.find_upload(session, upload_id)
    if row is None or row.list_id != list_id:
        raise NotFound(MISSING_UPLOAD)
    return await _shown_upload(session, steps, row, clock=clock)


async def list_uploads(
    session: AsyncSession, steps: Steps, list_id: UUID, page: Page, *, clock: Clock
) -> PageOf[CashUploadOut]:
    """A page of what was uploaded about a list; raises NotFound."""
    await get_row(session, list_id, clock=clock)
    rows = await repository.list_uploads(
        session, list_id, after=page.after(UUID), limit=page.fetch_limit
    )
    found = page.of(rows, key=lambda row: (row.id,))
    return PageOf(
        items=[await _shown_upload(session, steps, row, clock=clock) for row in found.items],
        next_cursor=found.next_cursor,
    )


async def list_rows(
    session: AsyncSession, list_id: UUID, upload_id: UUID, page: Page, *, set_aside: bool
) -> PageOf[CashUploadRowOut]:
    """A page of an upload's rows; raises NotFound."""
    row = await repository.find_upload(session, upload_id)
    if row is None or row.list_id != list_id:
        raise NotFound(MISSING_UPLOAD)
    rows = await repository.list_rows(
        session, upload_id, after=page.after(Int4), limit=page.fetch_limit, set_aside=set_aside
    )
    return page.of(
        [CashUploadRowOut.model_validate(each._asdict()) for each in rows],
        key=lambda shown: (shown.row,),
    )


async def get_row(session: AsyncSession, list_id: UUID, *, clock: Clock) -> AnyRow:
    """A list's row; raises NotFound."""
    row = await repository.find_list(session, list_id, today=clock.today())
    if row is None:
        raise NotFound(MISSING)
    return row


def _new_of(read: Sequence[ResultRow], *, said: set[tuple[int, LineOutcome]]) -> set[int]:
    """Which rows say what was not said before, here or earlier in the file."""
    known = set(said)
    new: set[int] = set()
    for result in read:
        if result.fault is not None or result.number is None or result.outcome is None:
            continue
        says = (result.number, result.outcome)
        if says not in known:
            known.add(says)
            new.add(result.row)
    return new


def _effect(issued: IssuedList, new: Sequence[ResultRow], currency: str) -> Effect:
    paid = [row for row in new if row.outcome is LineOutcome.PAID]
    amount_minor = sum(
        issued.lines[row.number].money.amount_minor for row in paid if row.number is not None
    )
    return Effect(
        what=f"Record of list {issued.code} that {len(paid):,} lines were paid, "
        f"{readable(amount_minor, currency)}, and {len(new) - len(paid):,} are not to be.",
        households=len(new),
        amount_minor=amount_minor,
        currency=currency,
    )


async def _shown_upload(
    session: AsyncSession, steps: Steps, row: AnyRow, *, clock: Clock
) -> CashUploadOut:
    proposal = None
    if row.status is not UploadStatus.NOTHING_NEW:
        proposal = await service.get(session, steps, row.id, clock=clock)
    return CashUploadOut.model_validate({**row._asdict(), "proposal": proposal})


async def _shown(
    session: AsyncSession, rows: Sequence[AnyRow], *, clock: Clock
) -> list[CashListOut]:
    waiting = await repository.waiting_of(session, [row.id for row in rows], now=clock.now())
    return [
        CashListOut.model_validate(
            {
                **row._asdict(),
                "code": list_code(row.number, row.id),
                "state": _state_of(row),
                "waits_for_second_person": row.id in waiting,
                "sha256": row.content_digest.hex(),
                "signature": base64.b64encode(row.signature).decode(),
            }
        )
        for row in rows
    ]


def _state_of(row: Any) -> CashListState:
    if not row.open_count:
        return CashListState.DONE
    return CashListState.OVERDUE if row.days_left < 0 else CashListState.OPEN
