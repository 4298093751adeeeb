"""SQL of lists as the provider's adapter needs it: making one, and reading what came of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.providers.cashlist.communes import CommuneName
from services.payments.providers.cashlist.tables import CashLine, CashList
from services.payments.settings.provider import PayoutPlace
from services.payments.statements import AnyRow

_NUMBERING = 7_205_031
_LOCK_NUMBERS = text("SELECT pg_advisory_xact_lock(:numbering, :provider_number)")
_NEXT_NUMBER = text(
    "SELECT coalesce(max(number), 0) + 1 FROM payments.cash_list "
    "WHERE provider_number = :provider_number"
)

_ORIGIN = text(
    """
    SELECT batch.number AS batch_number, batch.provider_number, batch.made_at,
        payment_round.scheme, payment_round.round, min(instruction.area_code) AS area_code
    FROM payments.batch
    JOIN payments.chunk ON chunk.number = batch.chunk_number
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    JOIN payments.instruction ON instruction.chunk_number = chunk.number
        AND instruction.batch_number = batch.number
    WHERE batch.id = :id
    GROUP BY batch.number, payment_round.number
    """
)

_ENTITLEMENTS = text(
    "SELECT id, entitlement_id FROM payments.instruction WHERE id = ANY(CAST(:ids AS uuid[]))"
)

_STANDING = text(
    """
    SELECT cash_list.number, cash_list.bringings > 0 AS has_results, EXISTS (
        SELECT FROM payments.cash_line WHERE list_id = cash_list.id AND outcome IS NULL
    ) AS has_open_lines
    FROM payments.cash_list
    WHERE id = :id
    """
)

# What was brought by one bringing is committed together, and before the next is begun.
_RESULTS = text(
    """
    SELECT instruction_id, number, outcome::text AS outcome, reason
    FROM payments.cash_line
    WHERE list_id = :id AND outcome IS NOT NULL AND (outcome = 'paid') = :is_paid
    ORDER BY bringing, number
    OFFSET :offset LIMIT :limit
    """
)

# An upload is told once each of its lines has an end, by what was said of it first.
_TO_TELL = text(
    """
    SELECT upload.id, upload.list_id, cash_list.number AS list_number
    FROM payments.cash_upload AS upload
    JOIN payments.cash_list ON cash_list.id = upload.list_id
    WHERE upload.status = 'approved' AND upload.told_at IS NULL
      AND cash_list.provider_number = (
          SELECT number FROM payments.provider WHERE code = :provider
      )
      AND NOT EXISTS (
          SELECT FROM payments.cash_upload_row AS said
          JOIN payments.cash_line AS line
              ON line.list_id = upload.list_id AND line.number = said.number
          JOIN payments.instruction ON instruction.id = line.instruction_id
          WHERE said.upload_id = upload.id AND said.is_new AND instruction.status = 'sending'
      )
    ORDER BY upload.id
    LIMIT :limit
    """
)

_TOLD_ROWS = text(
    """
    SELECT said.upload_id, line.instruction_id, line.number, said.outcome::text AS outcome,
        said.reason
    FROM payments.cash_upload_row AS said
    JOIN payments.cash_upload AS upload ON upload.id = said.upload_id
    JOIN payments.cash_line AS line ON line.list_id = upload.list_id AND line.number = said.number
    WHERE said.upload_id = ANY(CAST(:ids AS uuid[])) AND said.is_new
    ORDER BY said.upload_id, said.row
    """
)

_TELL = text(
    "UPDATE payments.cash_upload SET told_at = clock_timestamp() WHERE id = :id AND told_at IS NULL"
)


async def lock_numbers(session: AsyncSession, provider_number: int) -> int:
    """The next number of a list at a provider, until the transaction ends nobody else's."""
    given = {"numbering": _NUMBERING, "provider_number": provider_number}
    await session.execute(_LOCK_NUMBERS, given)
    return int(await session.scalar(_NEXT_NUMBER, {"provider_number": provider_number}) or 1)


async def is_made(session: AsyncSession, list_id: UUID) -> bool:
    """Whether a list was made."""
    return await session.scalar(select(CashList.id).where(CashList.id == list_id)) is not None


async def find_origin(session: AsyncSession, batch_id: UUID) -> AnyRow | None:
    """Of what a batch is made: its numbers, scheme, round and commune."""
    return (await session.execute(_ORIGIN, {"id": batch_id})).one_or_none()


async def entitlements_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The entitlement of each instruction."""
    rows = await session.execute(_ENTITLEMENTS, {"ids": list(ids)})
    return {row.id: row.entitlement_id for row in rows}


async def insert_list(
    session: AsyncSession,
    list_id: UUID,
    *,
    number: int,
    origin: AnyRow,
    area_name: CommuneName | None,
    paid_at: PayoutPlace,
    currency: str,
    days: tuple[date, date, date],
    lines: Sequence[dict[str, object]],
    total_minor: int,
    content_digest: bytes,
    signature: bytes,
) -> None:
    """Keep a list with its lines; ``days``: made, claimed by, and returned on."""
    made_on, claim_by, returns_on = days
    await session.execute(
        insert(CashList).values(
            id=list_id,
            number=number,
            provider_number=origin.provider_number,
            batch_number=origin.batch_number,
            area_code=origin.area_code,
            area_name_en=area_name.en if area_name else None,
            area_name_km=area_name.km if area_name else None,
            scheme=origin.scheme,
            round=origin.round,
            paid_at=paid_at,
            currency=currency,
            line_count=len(lines),
            total_minor=total_minor,
            made_on=made_on,
            claim_by=claim_by,
            returns_on=returns_on,
            content_digest=content_digest,
            signature=signature,
        )
    )
    await session.execute(insert(CashLine), [{"list_id": list_id, **line} for line in lines])


async def standing_of(session: AsyncSession, list_id: UUID) -> AnyRow | None:
    """How far a list is; None: it was never made."""
    return (await session.execute(_STANDING, {"id": list_id})).one_or_none()


async def results_of(
    session: AsyncSession, list_id: UUID, *, is_paid: bool, offset: int, limit: int
) -> Sequence[AnyRow]:
    """Lines with an outcome, in the order in which it was brought first."""
    given = {"id": list_id, "is_paid": is_paid, "offset": offset, "limit": limit}
    return (await session.execute(_RESULTS, given)).all()


async def uploads_to_tell(session: AsyncSession, provider: str, *, limit: int) -> Sequence[AnyRow]:
    """Approved uploads of which it was not told yet what they say of lines with an end."""
    return (await session.execute(_TO_TELL, {"provider": provider, "limit": limit})).all()


async def rows_to_tell(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """What uploads say of lines that was not said before."""
    return (await session.execute(_TOLD_ROWS, {"ids": list(ids)})).all()


async def mark_told(session: AsyncSession, upload_id: UUID) -> None:
    """What an upload says is recorded."""
    await session.execute(_TELL, {"id": upload_id})
