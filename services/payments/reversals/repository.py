"""SQL of reversals: what may be taken back, taking it back, and what was."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import REVERSED_BY, AccountCode, TransferCode
from services.payments.statements import AnyRow

_REVERSED_ROWS = ", ".join(f"('{code}', '{reversal}')" for code, reversal in REVERSED_BY.items())

# One transfer of each stands for it: of a deposit, the one that brought the cash.
_BROUGHT_IN = """
    SELECT approval.id, approval.kind::text AS kind, approval.document ->> 'fund' AS fund,
        approval.document ->> 'provider' AS provider, transfer.amount_minor, transfer.currency,
        transfer.reason AS reference, transfer.posted_at, approval.proposed_by,
        approval.decided_by AS approved_by, reversal.id AS reversal_id
    FROM payments.transfer
    JOIN payments.approval ON approval.id = transfer.approval_id
    LEFT JOIN payments.reversal ON reversal.reverses = approval.id
"""

_FIND = text(
    f"""
    {_BROUGHT_IN}
    WHERE transfer.approval_id = :id
      AND transfer.code IN ('{TransferCode.FUND_RECEIVED}', '{TransferCode.PROVIDER_PREFUNDED}')
    """
)

_LIST_DEPOSITS = text(
    f"""
    {_BROUGHT_IN}
    JOIN payments.account ON account.id = transfer.credit_account
    WHERE transfer.approval_id > :after AND transfer.code = '{TransferCode.FUND_RECEIVED}'
      AND account.scope = :scope AND account.code = '{AccountCode.FUNDS_RECEIVED}'
    ORDER BY transfer.approval_id
    LIMIT :limit
    """
)

_LIST_PREFUNDINGS = text(
    f"""
    {_BROUGHT_IN}
    JOIN payments.account ON account.id = transfer.debit_account
    WHERE transfer.approval_id > :after AND transfer.code = '{TransferCode.PROVIDER_PREFUNDED}'
      AND account.scope = :scope AND account.code = '{AccountCode.PROVIDER_FLOAT}'
    ORDER BY transfer.approval_id
    LIMIT :limit
    """
)

_INSERT = text(
    """
    INSERT INTO payments.reversal (id, reverses, reversed_at)
    VALUES (:id, :reverses, :at)
    ON CONFLICT (reverses) DO NOTHING
    RETURNING true
    """
)

_POST = text(
    f"""
    INSERT INTO payments.transfer (debit_account, credit_account, amount_minor, currency, code,
        posted_at, posted_by, reason, approval_id)
    SELECT credit_account, debit_account, amount_minor, currency,
        CAST(undone.reversal AS payments.transfer_code), :at, :posted_by, :reason, :id
    FROM payments.transfer
    JOIN (VALUES {_REVERSED_ROWS}) AS undone (code, reversal) ON undone.code = transfer.code::text
    WHERE transfer.approval_id = :reverses
    """
)

_SHORT = text(
    """
    SELECT account.code::text AS code, account.scope, account.currency,
        account.debits_minor - account.credits_minor AS balance_minor
    FROM payments.transfer
    JOIN payments.account ON account.id = transfer.debit_account
    WHERE transfer.approval_id = :reverses
      AND account.debits_minor - account.credits_minor < transfer.amount_minor
    ORDER BY account.book DESC
    LIMIT 1
    """
)

_REVERSAL = """
    SELECT reversal.id, reversal.reverses, brought_in.kind, brought_in.fund, brought_in.provider,
        brought_in.amount_minor, brought_in.currency, brought_in.reference, approval.reason,
        approval.proposed_by, approval.decided_by AS approved_by, reversal.reversed_at
    FROM payments.reversal
    JOIN payments.approval ON approval.id = reversal.id
    CROSS JOIN LATERAL (
        SELECT kind::text AS kind, document ->> 'fund' AS fund,
            document ->> 'provider' AS provider, amount_minor, currency,
            document ->> 'reference' AS reference
        FROM payments.approval AS original
        WHERE original.id = reversal.reverses
    ) AS brought_in
"""
_GET_REVERSAL = text(f"{_REVERSAL} WHERE reversal.id = :id")
_LIST_REVERSALS = text(
    f"""
    {_REVERSAL}
    WHERE CAST(:after AS uuid) IS NULL OR reversal.id > CAST(:after AS uuid)
    ORDER BY reversal.id
    LIMIT :limit
    """
)

_BEFORE_ALL = UUID(int=0)


async def find_brought_in(session: AsyncSession, approval_id: UUID) -> AnyRow | None:
    """A deposit or prefunding by the id of its proposal; None: it is none, or was not approved."""
    return (await session.execute(_FIND, {"id": approval_id})).one_or_none()


async def list_deposits(
    session: AsyncSession, fund: str, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """What two persons recorded as arrived for a fund, in the order of the proposals."""
    given = {"scope": fund, "after": after or _BEFORE_ALL, "limit": limit}
    return (await session.execute(_LIST_DEPOSITS, given)).all()


async def list_prefundings(
    session: AsyncSession, provider: str, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """What two persons recorded as paid to a provider, in the order of the proposals."""
    given = {"scope": provider, "after": after or _BEFORE_ALL, "limit": limit}
    return (await session.execute(_LIST_PREFUNDINGS, given)).all()


async def insert_reversal(
    session: AsyncSession, reversal_id: UUID, *, reverses: UUID, at: datetime
) -> bool:
    """Whether the reversal is new: False where that was taken back already."""
    given = {"id": reversal_id, "reverses": reverses, "at": at}
    return bool(await session.scalar(_INSERT, given))


async def post_reversal(
    session: AsyncSession,
    reversal_id: UUID,
    *,
    reverses: UUID,
    at: datetime,
    posted_by: str,
    reason: str | None,
) -> None:
    """Post each transfer of it the other way round.

    Raises IntegrityError where an account would be overdrawn.
    """
    given = {
        "id": reversal_id,
        "reverses": reverses,
        "at": at,
        "posted_by": posted_by,
        "reason": reason,
    }
    await session.execute(_POST, given)


async def find_short(session: AsyncSession, reverses: UUID) -> AnyRow | None:
    """An account that holds less than is to be taken back: the fund's before the treasury's."""
    return (await session.execute(_SHORT, {"reverses": reverses})).one_or_none()


async def find_reversal(session: AsyncSession, reversal_id: UUID) -> AnyRow | None:
    """A reversal with what it took back."""
    return (await session.execute(_GET_REVERSAL, {"id": reversal_id})).one_or_none()


async def list_reversals(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """Reversals in the order of their proposals."""
    return (await session.execute(_LIST_REVERSALS, {"after": after, "limit": limit})).all()
