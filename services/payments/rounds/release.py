"""Releasing a round for dispatch: only when all of it is here and the fund covers all of it."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import ROUND_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.rounds.tables import RoundStatus
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()

# One that waits for money is only looked at again when there is enough of it.
_PICK = text(
    """
    SELECT waiting.number, waiting.status::text AS status, waiting.fund, waiting.currency,
        waiting.chunk_count, waiting.entitlement_count, waiting.total_minor,
        here.chunks, here.entitlements, here.announced_minor, here.raised_minor,
        available.currency AS fund_currency,
        available.balance_minor AS available_minor
    FROM payments.payment_round AS waiting
    CROSS JOIN LATERAL (
        SELECT count(*) AS chunks,
            coalesce(sum(entitlement_count), 0) AS entitlements,
            coalesce(sum(total_minor), 0) AS announced_minor,
            coalesce(sum(total_minor) FILTER (WHERE chunk.status <> 'refused'), 0) AS raised_minor,
            count(*) FILTER (WHERE chunk.status = 'announced') AS unfetched
        FROM payments.chunk
        WHERE chunk.round_number = waiting.number
    ) AS here
    LEFT JOIN LATERAL (
        SELECT account.currency, debits_minor - credits_minor AS balance_minor
        FROM payments.account
        WHERE account.code = 'BUDGET_AVAILABLE' AND account.scope = waiting.fund
    ) AS available ON true
    WHERE waiting.status IN ('gathering', 'unfunded')
      AND here.chunks >= waiting.chunk_count
      AND here.unfetched = 0
      AND (waiting.status = 'gathering' OR (
          available.balance_minor >= here.raised_minor AND available.currency = waiting.currency
      ))
    ORDER BY waiting.number
    LIMIT 1
    FOR UPDATE OF waiting SKIP LOCKED
    """
)

_DECIDE = text(
    """
    UPDATE payments.payment_round
    SET status = CAST(CAST(:status AS text) AS payments.round_status), reason = :reason,
        reserved_minor = :reserved_minor,
        released_at = CASE WHEN CAST(:status AS text) = 'released' THEN CAST(:at AS timestamptz) END
    WHERE number = :number
    """
)


class Releasing:
    """Reserves rounds that are complete, each whole and in one ledger row, or says why not."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Decide on one round; returns 1 if there was one to decide on."""
        async with self._database.transaction() as session:
            waiting = (await session.execute(_PICK)).one_or_none()
            if waiting is None:
                return 0
            now = self._clock.now()
            status, reason = _judge(waiting)
            if status is RoundStatus.RELEASED and waiting.raised_minor:
                status, reason = await _reserve(session, waiting, at=now)
            await session.execute(
                _DECIDE,
                {
                    "number": waiting.number,
                    "status": status.value,
                    "reason": reason,
                    "reserved_minor": (
                        int(waiting.raised_minor) if status is RoundStatus.RELEASED else None
                    ),
                    "at": now,
                },
            )
        log.info("round_decided", number=waiting.number, status=status, reason=reason)
        return 1


def _judge(waiting: Row[Any]) -> tuple[RoundStatus, str | None]:
    announced = (waiting.chunks, waiting.entitlements, waiting.announced_minor)
    expected = (waiting.chunk_count, waiting.entitlement_count, waiting.total_minor)
    if announced != expected:
        return RoundStatus.REFUSED, (
            f"The chunks announced add up to {announced[0]} chunks, {announced[1]} entitlements, "
            f"{announced[2]} minor units; the enrolment said {expected[0]}, {expected[1]}, "
            f"{expected[2]}. Nothing of it is sent: GET /chunks shows what came. Report it; "
            "a newly declared activation of the same areas enrols these households again."
        )
    if waiting.raised_minor == 0:
        return RoundStatus.RELEASED, None
    if waiting.available_minor is None:
        return RoundStatus.UNFUNDED, (
            f"There is no fund {waiting.fund}. Create it with POST /funds and pay into it."
        )
    if waiting.fund_currency != waiting.currency:
        return RoundStatus.UNFUNDED, (
            f"Fund {waiting.fund} is in {waiting.fund_currency}, the round in {waiting.currency}."
        )
    if waiting.available_minor < waiting.raised_minor:
        return RoundStatus.UNFUNDED, _short(waiting)
    return RoundStatus.RELEASED, None


def _short(waiting: Row[Any]) -> str:
    return (
        f"The round needs {waiting.raised_minor} minor units and fund {waiting.fund} has "
        f"{waiting.available_minor} available. Nothing is sent until a deposit covers all of it."
    )


async def _reserve(
    session: AsyncSession, waiting: Row[Any], *, at: datetime
) -> tuple[RoundStatus, str | None]:
    try:
        async with session.begin_nested():
            await post(
                session,
                ROUND_RESERVED,
                debit_scope=waiting.fund,
                credit_scope=waiting.fund,
                amount_minor=int(waiting.raised_minor),
                currency=waiting.currency,
                posted_at=at,
                round_number=waiting.number,
            )
    except IntegrityError as error:
        # Another round took the money between our look and our posting.
        if not is_overdraft(error):
            raise
        return RoundStatus.UNFUNDED, _short(waiting)
    return RoundStatus.RELEASED, None
