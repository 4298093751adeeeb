"""Releasing a round for dispatch: only when all of it is here and the fund covers all of it."""

from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.ledger.accounts import ROUND_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.rounds.repository import GatheredRound, move_round, pick_gathered
from services.payments.rounds.states import RoundStatus
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()


class Releasing:
    """Reserves rounds that are complete, each whole and in one ledger row, or says why not."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Decide on one round; returns 1 if there was one to decide on."""
        async with self._database.transaction() as session:
            gathered = await pick_gathered(session)
            if gathered is None:
                return 0
            now = self._clock.now()
            status, reason = judge(gathered)
            if status is RoundStatus.RELEASED and gathered.raised_minor:
                status, reason = await _reserve(session, gathered, at=now)
            await move_round(
                session,
                gathered.number,
                status,
                at=now,
                reason=reason,
                reserved_minor=gathered.raised_minor if status is RoundStatus.RELEASED else None,
            )
        log.info("round_decided", number=gathered.number, status=status, reason=reason)
        return 1


def judge(gathered: GatheredRound) -> tuple[RoundStatus, str | None]:
    """Where a round goes by what it gathered and what its fund has, and why it is not released."""
    announced = (gathered.chunks, gathered.entitlements, gathered.announced_minor)
    expected = (gathered.chunk_count, gathered.entitlement_count, gathered.total_minor)
    if announced != expected:
        return RoundStatus.REFUSED, (
            f"The chunks announced add up to {announced[0]} chunks, {announced[1]} entitlements, "
            f"{readable(announced[2], gathered.currency)}; the enrolment said {expected[0]}, "
            f"{expected[1]}, {readable(expected[2], gathered.currency)}. Nothing of it is sent: "
            "GET /v1/chunks shows what came. Announced again in the registry (POST "
            "/v1/entitlement-chunks/{chunk_id}/reannouncement), each chunk is reserved and "
            "released by itself."
        )
    if gathered.raised_minor == 0:
        return RoundStatus.RELEASED, None
    if gathered.available_minor is None:
        return RoundStatus.UNFUNDED, (
            f"There is no fund {gathered.fund}. Create it with POST /v1/funds and pay into it."
        )
    if gathered.fund_currency != gathered.currency:
        return RoundStatus.UNFUNDED, (
            f"Fund {gathered.fund} is in {gathered.fund_currency}, the round in "
            f"{gathered.currency}."
        )
    if gathered.available_minor < gathered.raised_minor:
        return RoundStatus.UNFUNDED, _short(gathered)
    return RoundStatus.RELEASED, None


def _short(gathered: GatheredRound) -> str:
    available_minor = gathered.available_minor or 0
    return (
        f"The round needs {readable(gathered.raised_minor, gathered.currency)} and fund "
        f"{gathered.fund} has {readable(available_minor, gathered.currency)} available. Nothing is "
        "sent until a deposit covers all of it."
    )


async def _reserve(
    session: AsyncSession, gathered: GatheredRound, *, at: datetime
) -> tuple[RoundStatus, str | None]:
    try:
        async with session.begin_nested():
            await post(
                session,
                ROUND_RESERVED,
                debit_scope=gathered.fund,
                credit_scope=gathered.fund,
                amount_minor=gathered.raised_minor,
                currency=gathered.currency,
                posted_at=at,
                round_number=gathered.number,
            )
    except IntegrityError as error:
        # Another round took the money between our look and our posting.
        if not is_overdraft(error):
            raise
        return RoundStatus.UNFUNDED, _short(gathered)
    return RoundStatus.RELEASED, None
