"""SQL of lists from which cash is paid out: how they stand, and what was uploaded about them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import RAISE_AGAIN
from services.payments.alarms.tables import AlarmKind
from services.payments.cash_lists.states import CashListState
from services.payments.providers.cashlist.states import LineOutcome, UploadStatus
from services.payments.providers.cashlist.tables import (
    CashLine,
    CashList,
    CashUpload,
    CashUploadRow,
)
from services.payments.providers.tables import Provider
from services.payments.statements import AnyRow, AnySelect, lives_within, narrowed, paged
from shared.bounds import Bound

_WAITS = """
    SELECT FROM payments.cash_upload AS upload
    JOIN payments.approval ON approval.id = upload.id
    WHERE upload.list_id = cash_list.id AND upload.status = 'waiting'
      AND approval.decision IS NULL AND approval.expires_at > CAST(:now AS timestamptz)
"""

# What waits for its second person may say that they were paid: nothing of such a list goes back.
_PICK_TO_RETURN = text(
    f"""
    SELECT id, number, provider_number FROM payments.cash_list
    WHERE returned_at IS NULL AND returns_on <= :today AND NOT EXISTS ({_WAITS})
    ORDER BY returns_on
    LIMIT 1
    FOR UPDATE SKIP LOCKED
    """
)
# Once the list is locked, and what was uploaded before is seen.
_HAS_WAITING = text(f"SELECT EXISTS ({_WAITS}) FROM payments.cash_list WHERE id = :id")

_WAITING = text(
    f"SELECT id FROM payments.cash_list WHERE id = ANY(CAST(:ids AS uuid[])) AND EXISTS ({_WAITS})"
)

_RETURN = text(
    """
    WITH brought AS (
        UPDATE payments.cash_list SET bringings = bringings + 1, returned_at = :now
        WHERE id = :id
        RETURNING id, bringings
    )
    UPDATE payments.cash_line
    SET outcome = 'unclaimed', reason = 'unclaimed', bringing = brought.bringings
    FROM brought
    WHERE cash_line.list_id = brought.id AND cash_line.outcome IS NULL
    RETURNING cash_line.number
    """
)

# The lane that reads the list looks at once, and not when its turn comes.
_WAKE = text(
    """
    UPDATE payments.batch SET next_action_at = clock_timestamp()
    WHERE id = :id AND status IN ('unknown', 'under_way', 'read')
    """
)

# What was brought while the lane was at the list it may have missed.
_WAKE_BROUGHT = text(
    """
    UPDATE payments.batch SET next_action_at = clock_timestamp()
    FROM payments.cash_list
    WHERE cash_list.id = batch.id AND cash_list.bringings > 0
      AND batch.status IN ('under_way', 'read')
      -- Not what somebody is at, who has a lease.
      AND batch.next_action_at > clock_timestamp() + interval '1 hour'
      AND batch.completions_read + batch.rejections_read < (
          SELECT count(*) FROM payments.cash_line AS line
          WHERE line.list_id = cash_list.id AND line.outcome IS NOT NULL
      )
    """
)

_SAID = """
    SELECT line.number, line.outcome::text AS outcome
    FROM payments.cash_line AS line
    WHERE line.list_id = :list_id AND line.outcome IS NOT NULL
    UNION
    SELECT said.number, said.outcome::text AS outcome
    FROM payments.cash_upload AS upload
    JOIN payments.cash_upload_row AS said ON said.upload_id = upload.id
    WHERE upload.list_id = :list_id AND upload.status = 'approved' AND said.is_new
"""
_FIND_SAID = text(_SAID)

_FORGET_REPEATED = text(
    f"""
    UPDATE payments.cash_upload_row AS given SET is_new = false
    FROM ({_SAID}) AS said
    WHERE given.upload_id = :upload_id AND given.is_new
      AND given.number = said.number AND given.outcome::text = said.outcome
    RETURNING given.row
    """
)

_BRING = text(
    """
    WITH brought AS (
        UPDATE payments.cash_list SET bringings = bringings + 1 WHERE id = :list_id
        RETURNING id, bringings
    )
    UPDATE payments.cash_line AS line
    SET outcome = said.outcome, reason = said.reason, paid_on = said.paid_on,
        paper_reference = said.paper_reference, bringing = brought.bringings
    FROM brought, payments.cash_upload_row AS said
    WHERE line.list_id = brought.id AND line.outcome IS NULL
      AND said.upload_id = :upload_id AND said.is_new AND said.number = line.number
    """
)

_OVERDUE = """
    SELECT cash_list.provider_number, count(*) AS lists, min(cash_list.claim_by) AS oldest
    FROM payments.cash_list
    WHERE cash_list.claim_by < :today AND cash_list.returned_at IS NULL AND EXISTS (
        SELECT FROM payments.cash_line AS line
        WHERE line.list_id = cash_list.id AND line.outcome IS NULL
    )
    GROUP BY cash_list.provider_number
"""

_RAISE_OVERDUE = text(
    f"""
    INSERT INTO payments.alarm (provider_number, kind, detail, raised_at)
    SELECT provider_number, '{AlarmKind.CASH_LIST_OVERDUE}',
        lists || ' of its lists have lines without a result after their last day, the oldest '
            || 'since ' || oldest || '. Fetch the papers and upload what became of them, or what '
            || 'was not claimed goes back to its fund: GET /v1/cash-lists?state=overdue.',
        CAST(:now AS timestamptz)
    FROM ({_OVERDUE}) AS overdue
    WHERE NOT EXISTS (
        SELECT FROM payments.alarm
        WHERE alarm.provider_number = overdue.provider_number AND alarm.instruction_id IS NULL
          AND alarm.kind = '{AlarmKind.CASH_LIST_OVERDUE}' AND alarm.cleared_at IS NULL
    )
    ON CONFLICT (provider_number, kind) WHERE instruction_id IS NULL {RAISE_AGAIN}
    RETURNING provider_number
    """
)

_CLEAR_OVERDUE = text(
    f"""
    UPDATE payments.alarm SET cleared_at = CAST(:now AS timestamptz)
    WHERE alarm.kind = '{AlarmKind.CASH_LIST_OVERDUE}' AND alarm.cleared_at IS NULL
      AND alarm.provider_number NOT IN (SELECT provider_number FROM ({_OVERDUE}) AS overdue)
    RETURNING number
    """
)


def _select(today: date) -> AnySelect:
    counted = (
        select(
            *(
                column
                for name, condition in (
                    ("open", CashLine.outcome.is_(None)),
                    *((each.name.lower(), CashLine.outcome == each) for each in LineOutcome),
                )
                for column in (
                    func.count().filter(condition).label(f"{name}_count"),
                    func.coalesce(func.sum(CashLine.amount_minor).filter(condition), 0).label(
                        f"{name}_minor"
                    ),
                )
            )
        )
        .where(CashLine.list_id == CashList.id)
        .lateral("counted")
    )
    return (
        select(
            CashList.__table__,
            *counted.c,
            Provider.code.label("provider"),
            Provider.name.label("provider_name"),
            (literal(today) - CashList.made_on).label("age_days"),
            (CashList.claim_by - literal(today)).label("days_left"),
        )
        .join(Provider, Provider.number == CashList.provider_number)
        .join(counted, literal(True))
    )


def _in_state(state: CashListState, today: date) -> Any:
    has_open = (
        select(CashLine.number)
        .where(CashLine.list_id == CashList.id, CashLine.outcome.is_(None))
        .exists()
    )
    match state:
        case CashListState.DONE:
            return ~has_open
        case CashListState.OVERDUE:
            return and_(has_open, CashList.claim_by < today)
        case CashListState.OPEN:
            return and_(has_open, CashList.claim_by >= today)


async def list_lists(
    session: AsyncSession,
    *,
    after: UUID | None,
    limit: int,
    today: date,
    state: CashListState | None,
    provider: str | None,
    area_code: str | None,
    bound: Bound,
) -> Sequence[AnyRow]:
    """Lists in the order in which they were made; what is None does not narrow."""
    query = narrowed(_select(today), {Provider.code: provider, CashList.area_code: area_code})
    query = query.where(lives_within(bound, CashList.area_code))
    if state is not None:
        query = query.where(_in_state(state, today))
    return (await session.execute(paged(query, CashList.id, after=after, limit=limit))).all()


async def is_within(session: AsyncSession, list_id: UUID, *, bound: Bound) -> bool:
    """Whether there is such a list in a caller's areas."""
    query = select(CashList.id).where(
        CashList.id == list_id, lives_within(bound, CashList.area_code)
    )
    return await session.scalar(query) is not None


async def find_list(session: AsyncSession, list_id: UUID, *, today: date) -> AnyRow | None:
    """A list as the lists show it."""
    return (await session.execute(_select(today).where(CashList.id == list_id))).one_or_none()


async def waiting_of(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
    """Those of the lists about which something uploaded waits for its second person."""
    return set(await session.scalars(_WAITING, {"ids": list(ids), "now": now}))


async def lock_list(session: AsyncSession, list_id: UUID) -> bool:
    """Lock a list for whatever is said of it; whether there is one."""
    query = select(CashList.id).where(CashList.id == list_id).with_for_update()
    return await session.scalar(query) is not None


async def lines_of(
    session: AsyncSession, list_id: UUID, *, after: int | None = None, limit: int | None = None
) -> Sequence[AnyRow]:
    """A list's lines in their order."""
    query = select(*CashLine.__table__.columns).where(CashLine.list_id == list_id)
    return (
        await session.execute(
            paged(query, CashLine.number, after=after, limit=limit)
            if limit is not None
            else query.order_by(CashLine.number)
        )
    ).all()


async def find_same(session: AsyncSession, list_id: UUID, digest: bytes) -> Sequence[UUID]:
    """Uploads of the same bytes about a list, that were not declined; the newest first."""
    query = (
        select(CashUpload.id)
        .where(
            CashUpload.list_id == list_id,
            CashUpload.content_digest == digest,
            CashUpload.status != UploadStatus.DECLINED,
        )
        .order_by(CashUpload.id.desc())
    )
    return (await session.scalars(query)).all()


async def said_of(session: AsyncSession, list_id: UUID) -> set[tuple[int, LineOutcome]]:
    """What was said and approved of a list's lines, or followed from silence."""
    rows = await session.execute(_FIND_SAID, {"list_id": list_id})
    return {(row.number, LineOutcome(row.outcome)) for row in rows}


async def insert_upload(
    session: AsyncSession, upload: dict[str, Any], rows: Sequence[dict[str, Any]]
) -> None:
    """Keep what was uploaded, with its rows."""
    await session.execute(insert(CashUpload).values(**upload))
    if rows:
        await session.execute(
            insert(CashUploadRow), [{"upload_id": upload["id"], **row} for row in rows]
        )


async def find_upload(session: AsyncSession, upload_id: UUID) -> AnyRow | None:
    """What was uploaded."""
    query = select(*CashUpload.__table__.columns).where(CashUpload.id == upload_id)
    return (await session.execute(query)).one_or_none()


async def list_uploads(
    session: AsyncSession, list_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """What was uploaded about a list, in order."""
    query = select(*CashUpload.__table__.columns).where(CashUpload.list_id == list_id)
    return (await session.execute(paged(query, CashUpload.id, after=after, limit=limit))).all()


async def list_rows(
    session: AsyncSession, upload_id: UUID, *, after: int | None, limit: int, set_aside: bool
) -> Sequence[AnyRow]:
    """The rows of an upload, in the order of the file."""
    query = select(*CashUploadRow.__table__.columns).where(CashUploadRow.upload_id == upload_id)
    if set_aside:
        query = query.where(CashUploadRow.fault.is_not(None))
    return (await session.execute(paged(query, CashUploadRow.row, after=after, limit=limit))).all()


async def decline(session: AsyncSession, upload_id: UUID) -> None:
    """What was uploaded is not taken."""
    await session.execute(
        update(CashUpload).where(CashUpload.id == upload_id).values(status=UploadStatus.DECLINED)
    )


async def bring(session: AsyncSession, upload_id: UUID, list_id: UUID) -> None:
    """What was uploaded holds: it is each line's outcome that has none. The list is locked."""
    given = {"upload_id": upload_id, "list_id": list_id}
    repeated = len((await session.execute(_FORGET_REPEATED, given)).all())
    await session.execute(_BRING, given)
    await session.execute(
        update(CashUpload)
        .where(CashUpload.id == upload_id)
        .values(
            status=UploadStatus.APPROVED,
            new_count=CashUpload.new_count - repeated,
            repeated_count=CashUpload.repeated_count + repeated,
        )
    )
    await session.execute(_WAKE, {"id": list_id})


async def lock_to_return(session: AsyncSession, *, today: date, now: datetime) -> AnyRow | None:
    """A list of which what was not claimed is to go back now; locked. None: there is none."""
    row = (await session.execute(_PICK_TO_RETURN, {"today": today, "now": now})).one_or_none()
    if row is None or await session.scalar(_HAS_WAITING, {"id": row.id, "now": now}):
        return None
    return row


async def return_unclaimed(session: AsyncSession, list_id: UUID, *, now: datetime) -> int:
    """Have what nobody claimed end so; returns how many lines. The list is locked."""
    returned = await session.execute(_RETURN, {"id": list_id, "now": now})
    await session.execute(_WAKE, {"id": list_id})
    return len(returned.all())


async def wake_brought(session: AsyncSession) -> None:
    """Have every list read at once of which something was brought and not read."""
    await session.execute(_WAKE_BROUGHT)


async def tell_overdue(session: AsyncSession, *, today: date, now: datetime) -> int:
    """Raise and clear the alarms about lists that are overdue; returns how many of both."""
    given = {"today": today, "now": now}
    raised = await session.execute(_RAISE_OVERDUE, given)
    cleared = await session.execute(_CLEAR_OVERDUE, given)
    return len(raised.all()) + len(cleared.all())
