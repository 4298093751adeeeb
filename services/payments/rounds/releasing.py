"""Releasing a round for dispatch: when all of it is here, covered, and within its fund's bounds."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.budget_lines.repository import line_room
from services.payments.funds.repository import Bounds, lock_bounds
from services.payments.holds.judging import hold_by_rules
from services.payments.ledger.accounts import ROUND_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.reservations.reserving import draw
from services.payments.rounds.repository import (
    GatheredRound,
    move_round,
    pick_gathered,
    released_before,
)
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
                status, reason = await _let_go(session, gathered, at=now)
            if status is RoundStatus.RELEASED:
                await release(session, gathered, at=now)
            else:
                await move_round(session, gathered.number, status, at=now, reason=reason)
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
    if reason := above_line(gathered, room_minor=gathered.line_room_minor):
        return RoundStatus.UNFUNDED, reason
    return RoundStatus.RELEASED, None


def _short(gathered: GatheredRound) -> str:
    available_minor = gathered.available_minor or 0
    return (
        f"The round needs {readable(gathered.raised_minor, gathered.currency)} and fund "
        f"{gathered.fund} has {readable(available_minor, gathered.currency)} available. Nothing is "
        "sent until a deposit covers all of it."
    )


def above_line(gathered: GatheredRound, *, room_minor: int | None) -> str | None:
    """Why the budget line of a round has no room for it, and what to do; None: it has, or the
    round is on none. ``room_minor`` is None where there is no such line."""
    if gathered.budget_line is None:
        return None
    lines = f"/v1/funds/{gathered.fund}/budget-lines"
    if room_minor is None:
        return (
            f"Fund {gathered.fund} has no budget line {gathered.budget_line}. Nothing is sent "
            f"until two persons open it: POST {lines}."
        )
    if gathered.raised_minor <= room_minor:
        return None
    return (
        f"The round needs {readable(gathered.raised_minor, gathered.currency)} and budget line "
        f"{gathered.budget_line} of fund {gathered.fund} has room for "
        f"{readable(max(room_minor, 0), gathered.currency)}. Nothing is sent until two persons "
        f"raise its ceiling: POST {lines}."
    )


def above_payment(gathered: GatheredRound, bounds: Bounds) -> str | None:
    """Why nobody releases a round by these bounds, and what to do; None: somebody may."""
    if (
        bounds.maximum_payment_minor is None
        or gathered.largest_minor <= bounds.maximum_payment_minor
    ):
        return None
    return (
        f"A payment of it is {readable(gathered.largest_minor, gathered.currency)}, and fund "
        f"{gathered.fund} pays one household "
        f"{readable(bounds.maximum_payment_minor, gathered.currency)} at most, one time. Nothing "
        "of it is sent, unless two persons change the fund's bounds: "
        f"POST /v1/funds/{gathered.fund}/bounds."
    )


def above_bounds(gathered: GatheredRound, bounds: Bounds, *, released_minor: int) -> str | None:
    """Why a round does not go by itself, and what to do; None: it does.

    ``released_minor`` was released before of the same round of the activation.
    """
    if bounds.maximum_round_minor is None:
        return (
            f"Nobody has set what fund {gathered.fund} pays without further ado. Nothing is sent "
            f"until two persons release the round, POST /v1/rounds/{gathered.number}/release, or "
            f"bound the fund, POST /v1/funds/{gathered.fund}/bounds."
        )
    if reason := above_payment(gathered, bounds):
        return reason
    if released_minor + gathered.raised_minor <= bounds.maximum_round_minor:
        return None
    before = (
        f", after {readable(released_minor, gathered.currency)} of the same round of the activation"
        if released_minor
        else ""
    )
    return (
        f"The round comes to {readable(gathered.raised_minor, gathered.currency)}{before}, and "
        f"fund {gathered.fund} lets {readable(bounds.maximum_round_minor, gathered.currency)} go "
        "by itself. Nothing is sent until two persons release it: "
        f"POST /v1/rounds/{gathered.number}/release."
    )


async def reserve(
    session: AsyncSession, gathered: GatheredRound, *, at: datetime, approval_id: UUID | None = None
) -> tuple[RoundStatus, str | None]:
    """Reserve the whole of a round in its fund: whether that is released, or why it waits.

    The fund is locked: nobody else takes the room of its lines meanwhile.
    """
    if gathered.budget_line is not None:
        room_minor = await line_room(session, gathered.fund, gathered.budget_line)
        if reason := above_line(gathered, room_minor=room_minor):
            return RoundStatus.UNFUNDED, reason
    try:
        async with session.begin_nested():
            await draw(
                session,
                gathered.activation_id,
                fund=gathered.fund,
                minor=gathered.raised_minor,
                at=at,
            )
            await post(
                session,
                ROUND_RESERVED,
                debit_scope=gathered.fund,
                credit_scope=gathered.fund,
                budget_line=gathered.budget_line,
                amount_minor=gathered.raised_minor,
                currency=gathered.currency,
                posted_at=at,
                round_number=gathered.number,
                approval_id=approval_id,
            )
    except IntegrityError as error:
        # Another round took the money between our look and our posting.
        if not is_overdraft(error):
            raise
        return RoundStatus.UNFUNDED, _short(gathered)
    return RoundStatus.RELEASED, None


async def release(session: AsyncSession, gathered: GatheredRound, *, at: datetime) -> None:
    """Let a round be sent that is reserved, but for what its scheme's rules hold of it."""
    await move_round(
        session,
        gathered.number,
        RoundStatus.RELEASED,
        at=at,
        reason=None,
        reserved_minor=gathered.raised_minor,
    )
    await hold_by_rules(
        session,
        gathered.number,
        scheme=gathered.scheme,
        activation_id=gathered.activation_id,
        at=at,
    )


async def _let_go(
    session: AsyncSession, gathered: GatheredRound, *, at: datetime
) -> tuple[RoundStatus, str | None]:
    # The lock comes before the sum: two rounds of one activation are measured one after the other.
    bounds = await lock_bounds(session, gathered.fund)
    assert bounds is not None  # its account has the money
    released_minor = await released_before(session, gathered.number)
    if reason := above_bounds(gathered, bounds, released_minor=released_minor):
        return RoundStatus.UNAPPROVED, reason
    return await reserve(session, gathered, at=at)
