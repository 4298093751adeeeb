"""SQL of reservations: keeping what is wanted, and locking what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.reservations.tables import Reservation
from services.payments.statements import AnyRow, narrowed, paged
from shared.contracts.events import ActivationOpened, PreparationCounted

# The last count holds, whatever was let go before; what rounds took of an earlier one stays taken.
_KEEP_WANTED = text(
    """
    INSERT INTO payments.reservation AS kept (readiness_id, trigger, scheme, fund, currency,
        households, wanted_minor, made_at)
    VALUES (:readiness_id, :trigger, :scheme, :fund, :currency, :households, :wanted_minor, :at)
    ON CONFLICT (readiness_id) DO UPDATE
    SET fund = excluded.fund, currency = excluded.currency,
        households = excluded.households, wanted_minor = excluded.wanted_minor,
        drawn_minor = CASE WHEN kept.released_at IS NULL THEN kept.drawn_minor ELSE 0 END,
        released_at = NULL
    """
)

_KEEP_TRIGGER = text(
    """
    INSERT INTO payments.activation_trigger (activation_id, trigger)
    VALUES (:activation_id, :trigger)
    ON CONFLICT DO NOTHING
    """
)

_LOCK = """
    SELECT readiness_id, fund, currency, wanted_minor, drawn_minor, reserved_minor
    FROM payments.reservation
"""
_LOCK_ONE = text(
    f"{_LOCK} WHERE readiness_id = :readiness_id AND released_at IS NULL FOR NO KEY UPDATE"
)
_LOCK_OF_ACTIVATION = text(
    f"""
    {_LOCK}
    WHERE released_at IS NULL AND reserved_minor > 0 AND fund = :fund
      AND trigger = (
          SELECT trigger FROM payments.activation_trigger WHERE activation_id = :activation_id
      )
    ORDER BY readiness_id
    FOR NO KEY UPDATE
    """
)
# What is kept too much goes back first. What is wanted is kept as far as the fund has it.
_LOCK_UNEVEN = text(
    f"""
    {_LOCK}
    WHERE released_at IS NULL AND (
        reserved_minor > greatest(wanted_minor - drawn_minor, 0)
        OR reserved_minor < wanted_minor - drawn_minor AND EXISTS (
            SELECT FROM payments.account
            WHERE account.code = 'BUDGET_AVAILABLE' AND account.scope = reservation.fund
              AND account.currency = reservation.currency
              AND debits_minor > credits_minor
        )
    )
    ORDER BY reserved_minor > greatest(wanted_minor - drawn_minor, 0) DESC, made_at
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
    """
)

_AVAILABLE = text(
    """
    SELECT debits_minor - credits_minor
    FROM payments.account
    WHERE code = 'BUDGET_AVAILABLE' AND scope = :fund
    """
)

_CHANGE = text(
    """
    UPDATE payments.reservation
    SET reserved_minor = reserved_minor + :by_minor, drawn_minor = drawn_minor + :drawn_minor,
        released_at = CAST(:released_at AS timestamptz)
    WHERE readiness_id = :readiness_id
    """
)


@dataclass(frozen=True, slots=True)
class Held:
    """A locked reservation that was not let go."""

    readiness_id: UUID
    fund: str
    currency: str
    wanted_minor: int
    drawn_minor: int
    reserved_minor: int

    @property
    def short_minor(self) -> int:
        """What is still to be kept; less than nothing: what is kept too much."""
        return max(self.wanted_minor - self.drawn_minor, 0) - self.reserved_minor


async def keep_wanted(session: AsyncSession, counted: PreparationCounted, *, at: datetime) -> None:
    """Keep what is to be reserved for a span of readiness: the last count holds."""
    await session.execute(
        _KEEP_WANTED,
        {
            "readiness_id": counted.readiness_id,
            "trigger": counted.trigger,
            "scheme": counted.scheme,
            "fund": counted.fund,
            "currency": counted.currency,
            "households": counted.households,
            "wanted_minor": counted.amount_minor,
            "at": at,
        },
    )


async def keep_trigger(session: AsyncSession, opened: ActivationOpened) -> None:
    """Keep which trigger an activation is of."""
    given = {"activation_id": opened.activation_id, "trigger": opened.trigger}
    await session.execute(_KEEP_TRIGGER, given)


async def lock_held(session: AsyncSession, readiness_id: UUID) -> Held | None:
    """The reservation of a span, locked; None: there is none, or it was let go."""
    row = (await session.execute(_LOCK_ONE, {"readiness_id": readiness_id})).one_or_none()
    return Held(**row._mapping) if row else None


async def lock_of_activation(
    session: AsyncSession, activation_id: UUID, *, fund: str
) -> list[Held]:
    """What is kept in a fund for the trigger of an activation, locked."""
    given = {"activation_id": activation_id, "fund": fund}
    return [Held(**row._mapping) for row in await session.execute(_LOCK_OF_ACTIVATION, given)]


async def lock_uneven(session: AsyncSession) -> Held | None:
    """One that keeps more than is wanted, or less and its fund has money; locked."""
    row = (await session.execute(_LOCK_UNEVEN)).one_or_none()
    return Held(**row._mapping) if row else None


async def available_minor(session: AsyncSession, fund: str) -> int:
    """What a fund has that is promised to nobody."""
    return int(await session.scalar(_AVAILABLE, {"fund": fund}) or 0)


async def change(
    session: AsyncSession,
    held: Held,
    *,
    by_minor: int,
    drawn_minor: int = 0,
    released_at: datetime | None = None,
) -> None:
    """Change what a locked reservation keeps."""
    await session.execute(
        _CHANGE,
        {
            "readiness_id": held.readiness_id,
            "by_minor": by_minor,
            "drawn_minor": drawn_minor,
            "released_at": released_at,
        },
    )


async def list_reservations(
    session: AsyncSession, *, after: UUID | None, limit: int, fund: str | None, trigger: str | None
) -> Sequence[AnyRow]:
    """Reservations in the order of their ids; what is None does not narrow."""
    query = narrowed(
        select(
            Reservation.readiness_id,
            Reservation.trigger,
            Reservation.scheme,
            Reservation.fund,
            Reservation.currency,
            Reservation.households,
            Reservation.wanted_minor,
            Reservation.drawn_minor,
            Reservation.reserved_minor,
            Reservation.made_at,
            Reservation.released_at,
        ),
        {Reservation.fund: fund, Reservation.trigger: trigger},
    )
    rows = await session.execute(paged(query, Reservation.readiness_id, after=after, limit=limit))
    return rows.all()
