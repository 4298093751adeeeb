"""SQL of funds: their rows, and their balances in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.statements import BALANCE_AT, BALANCE_NOW
from services.payments.statements import AnyRow

_SELECT = """
    SELECT fund.code, fund.name, fund.currency, fund.created_at, fund.maximum_payment_minor,
        fund.maximum_round_minor,
        coalesce(sum(-balance) FILTER (WHERE account.code = 'BUDGET_AUTHORISED'), 0)::bigint
            AS authorised_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'BUDGET_AVAILABLE'), 0)::bigint
            AS available_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'RESERVED'), 0)::bigint
            AS reserved_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'COMMITTED'), 0)::bigint
            AS committed_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'BUDGET_SPENT'), 0)::bigint
            AS spent_minor
    FROM payments.fund
    LEFT JOIN LATERAL (
        SELECT account.code, {balance} AS balance
        FROM payments.account
        WHERE account.scope = fund.code AND account.book = 'budget'
    ) AS account ON true
"""
_ONE = " WHERE fund.code = :code GROUP BY fund.code"
_GET = text(_SELECT.format(balance=BALANCE_NOW) + _ONE)
_GET_AT = text(_SELECT.format(balance=BALANCE_AT) + _ONE)
_LIST = text(
    _SELECT.format(balance=BALANCE_NOW)
    + " WHERE fund.code > :after GROUP BY fund.code ORDER BY fund.code LIMIT :limit"
)

_INSERT = text(
    """
    INSERT INTO payments.fund (code, name, currency, created_at, maximum_payment_minor,
        maximum_round_minor)
    VALUES (:code, :name, :currency, :at, :maximum_payment_minor, :maximum_round_minor)
    ON CONFLICT (code) DO NOTHING
    RETURNING true
    """
)


_FIND_BOUNDS = """
    SELECT currency, maximum_payment_minor, maximum_round_minor
    FROM payments.fund
    WHERE code = :code
"""
_GET_BOUNDS = text(_FIND_BOUNDS)
_LOCK_BOUNDS = text(_FIND_BOUNDS + " FOR NO KEY UPDATE")

_SET_BOUNDS = text(
    """
    UPDATE payments.fund
    SET maximum_payment_minor = :maximum_payment_minor, maximum_round_minor = :maximum_round_minor
    WHERE code = :code
    """
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a fund lets go by itself, in minor units; both None where nobody has set them."""

    currency: str
    maximum_payment_minor: int | None
    maximum_round_minor: int | None


async def insert_fund(
    session: AsyncSession,
    *,
    code: str,
    name: str,
    currency: str,
    maximum_payment_minor: int,
    maximum_round_minor: int,
    at: datetime,
) -> bool:
    """Whether the fund is new: False where the code is taken."""
    given = {
        "code": code,
        "name": name,
        "currency": currency,
        "maximum_payment_minor": maximum_payment_minor,
        "maximum_round_minor": maximum_round_minor,
        "at": at,
    }
    return bool(await session.scalar(_INSERT, given))


async def find_bounds(session: AsyncSession, code: str) -> Bounds | None:
    """A fund's bounds; None: there is no such fund."""
    row = (await session.execute(_GET_BOUNDS, {"code": code})).one_or_none()
    return Bounds(**row._mapping) if row else None


async def lock_bounds(session: AsyncSession, code: str) -> Bounds | None:
    """A fund's bounds, locked: they stay, and no other round is measured by them meanwhile."""
    row = (await session.execute(_LOCK_BOUNDS, {"code": code})).one_or_none()
    return Bounds(**row._mapping) if row else None


async def set_bounds(
    session: AsyncSession, code: str, *, maximum_payment_minor: int, maximum_round_minor: int
) -> None:
    """Change the bounds of a locked fund."""
    given = {
        "code": code,
        "maximum_payment_minor": maximum_payment_minor,
        "maximum_round_minor": maximum_round_minor,
    }
    await session.execute(_SET_BOUNDS, given)


async def find_fund(
    session: AsyncSession, code: str, *, at: datetime | None = None
) -> AnyRow | None:
    """A fund with its balances, now or at a past moment."""
    if at is None:
        return (await session.execute(_GET, {"code": code})).one_or_none()
    return (await session.execute(_GET_AT, {"code": code, "at": at})).one_or_none()


async def list_funds(session: AsyncSession, *, after: str | None, limit: int) -> Sequence[AnyRow]:
    """Funds with their balances, in the order of their codes."""
    return (await session.execute(_LIST, {"after": after or "", "limit": limit})).all()
