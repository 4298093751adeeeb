"""SQL of budget lines: their rows, and their balances in the ledger."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.budget_lines.statements import LINE_ROOM
from services.payments.ledger.statements import BALANCE_AT, BALANCE_NOW
from services.payments.statements import AnyRow

_SELECT = """
    SELECT line.code, line.fund, line.name, fund.currency, line.ceiling_minor, line.opened_at,
        coalesce(account.committed_minor, 0)::bigint AS committed_minor,
        coalesce(account.spent_minor, 0)::bigint AS spent_minor
    FROM payments.budget_line AS line
    JOIN payments.fund ON fund.code = line.fund
    LEFT JOIN LATERAL (
        SELECT sum({balance}) FILTER (WHERE account.code = 'LINE_COMMITTED') AS committed_minor,
            sum({balance}) FILTER (WHERE account.code = 'LINE_SPENT') AS spent_minor
        FROM payments.account
        WHERE account.scope = line.fund || '/' || line.code
    ) AS account ON true
    WHERE line.fund = :fund
"""
_ONE = " AND line.code = :code"
_GET = text(_SELECT.format(balance=BALANCE_NOW) + _ONE)
_PAGE = " AND line.code > :after ORDER BY line.code LIMIT :limit"
_LIST = text(_SELECT.format(balance=BALANCE_NOW) + _PAGE)
_LIST_AT = text(_SELECT.format(balance=BALANCE_AT) + " AND line.opened_at <= :at" + _PAGE)

_SET = text(
    """
    INSERT INTO payments.budget_line (fund, code, name, ceiling_minor, opened_at)
    VALUES (:fund, :code, :name, :ceiling_minor, :at)
    ON CONFLICT (fund, code) DO UPDATE
    SET name = excluded.name, ceiling_minor = excluded.ceiling_minor
    """
)

_ROOM = text(f"{LINE_ROOM} AND budget_line.fund = :fund AND budget_line.code = :code")


async def find_line(session: AsyncSession, fund: str, code: str) -> AnyRow | None:
    """A line with what is committed and spent on it."""
    return (await session.execute(_GET, {"fund": fund, "code": code})).one_or_none()


async def list_lines(
    session: AsyncSession, fund: str, *, at: datetime | None, after: str | None, limit: int
) -> Sequence[AnyRow]:
    """A fund's lines in the order of their codes, with their balances now or at a past moment."""
    given = {"fund": fund, "after": after or "", "limit": limit}
    if at is None:
        return (await session.execute(_LIST, given)).all()
    return (await session.execute(_LIST_AT, {**given, "at": at})).all()


async def set_line(
    session: AsyncSession, fund: str, code: str, *, name: str, ceiling_minor: int, at: datetime
) -> None:
    """Open a line, or give it another name and ceiling. The fund is locked."""
    given = {"fund": fund, "code": code, "name": name, "ceiling_minor": ceiling_minor, "at": at}
    await session.execute(_SET, given)


async def line_room(session: AsyncSession, fund: str, code: str) -> int | None:
    """What a line has room for, exact once its fund is locked; None: there is no such line."""
    room_minor: int | None = await session.scalar(_ROOM, {"fund": fund, "code": code})
    return room_minor
