"""Keeping a fund's money for a trigger that is ready, letting it go, and letting rounds take it."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import READINESS_RELEASED, READINESS_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.reservations import repository
from services.payments.reservations.repository import Held
from shared.clock import Clock
from shared.database import Database

log = structlog.get_logger()


class Reserving:
    """Keeps what is wanted, as far as the fund has it, and gives back what is kept too much."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Bring one reservation to what is wanted, or as near as the fund allows; 0: none is off.

        Where the fund gets money later, this finds it.
        """
        try:
            async with self._database.transaction() as session:
                held = await repository.lock_uneven(session)
                if held is None:
                    return 0
                await self._even(session, held)
        except IntegrityError as error:
            # Somebody took the money between our look and our posting: looked at again.
            if not is_overdraft(error):
                raise
        return 1

    async def _even(self, session: AsyncSession, held: Held) -> None:
        at = self._clock.now()
        if held.short_minor < 0:
            await give_back(session, held, -held.short_minor, at=at)
            return
        available_minor = await repository.available_minor(session, held.fund)
        minor = min(held.short_minor, available_minor)
        if minor > 0:
            await _post(session, held, minor, is_release=False, at=at)
            await repository.change(session, held, by_minor=minor)
        if minor < held.short_minor:
            log.warning(
                "reservation_short",
                readiness=str(held.readiness_id),
                fund=held.fund,
                short_minor=held.short_minor - minor,
            )


async def give_back(
    session: AsyncSession,
    held: Held,
    minor: int,
    *,
    at: datetime,
    drawn_minor: int = 0,
    released_at: datetime | None = None,
) -> None:
    """Give so much of a locked reservation back to its fund."""
    if minor:
        await _post(session, held, minor, is_release=True, at=at)
    await repository.change(
        session, held, by_minor=-minor, drawn_minor=drawn_minor, released_at=released_at
    )


async def let_go(session: AsyncSession, readiness_id: UUID, *, at: datetime) -> None:
    """Give all of a span's reservation back: its trigger stands down. Twice equals once."""
    held = await repository.lock_held(session, readiness_id)
    if held is not None:
        await give_back(session, held, held.reserved_minor, at=at, released_at=at)


async def draw(
    session: AsyncSession, activation_id: UUID, *, fund: str, minor: int, at: datetime
) -> None:
    """Give back what a round of an activation is about to reserve, as far as it was kept for it.

    In the transaction of the round: nobody else can take it between.
    """
    for held in await repository.lock_of_activation(session, activation_id, fund=fund):
        part = min(minor, held.reserved_minor)
        if part > 0:
            await give_back(session, held, part, at=at, drawn_minor=part)
            minor -= part


async def _post(
    session: AsyncSession, held: Held, minor: int, *, is_release: bool, at: datetime
) -> None:
    await post(
        session,
        READINESS_RELEASED if is_release else READINESS_RESERVED,
        debit_scope=held.fund,
        credit_scope=held.fund,
        amount_minor=minor,
        currency=held.currency,
        posted_at=at,
        reason=f"readiness {held.readiness_id}",
    )
