"""Opening accounts, and postings outside an instruction's moves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import (
    ACCOUNT_KINDS,
    AccountCode,
    AccountScope,
    Posting,
    on_a_line,
    scope_of_line,
)

OVERDRAFT_CONSTRAINT = "account_overdraft_refused_check"

_OPEN = text(
    """
    INSERT INTO payments.account (code, scope, book, currency, overdraft_refused)
    SELECT code::payments.account_code, :scope, book::payments.book, :currency, overdraft_refused
    FROM unnest(
        CAST(:codes AS text[]), CAST(:books AS text[]), CAST(:refusals AS boolean[])
    ) AS kind (code, book, overdraft_refused)
    ON CONFLICT (code, scope) DO NOTHING
    """
)

_POST = text(
    """
    INSERT INTO payments.transfer (
        payment_instruction_id, round_number, debit_account, credit_account,
        amount_minor, currency, code, posted_at, posted_by, reason, approval_id
    )
    VALUES (
        :payment_instruction_id,
        :round_number,
        (SELECT id FROM payments.account WHERE code::text = :debit AND scope = :debit_scope),
        (SELECT id FROM payments.account WHERE code::text = :credit AND scope = :credit_scope),
        :amount_minor,
        :currency,
        CAST(CAST(:code AS text) AS payments.transfer_code),
        :posted_at,
        :posted_by,
        :reason,
        :approval_id
    )
    RETURNING id
    """
)


def accounts_of(scope: AccountScope) -> list[AccountCode]:
    """The codes of which every thing of that scope has an account."""
    return [code for code, kind in ACCOUNT_KINDS.items() if kind.scope is scope]


async def open_accounts(
    session: AsyncSession, *, kept_for: AccountScope, scope: str, currency: str
) -> None:
    """Open the accounts of one currency, fund, provider or line, where they are not open yet."""
    codes = accounts_of(kept_for)
    await session.execute(
        _OPEN,
        {
            "scope": scope,
            "currency": currency,
            "codes": [code.value for code in codes],
            "books": [ACCOUNT_KINDS[code].book.value for code in codes],
            "refusals": [ACCOUNT_KINDS[code].overdraft_refused for code in codes],
        },
    )


async def post(
    session: AsyncSession,
    posting: Posting,
    *,
    debit_scope: str,
    credit_scope: str,
    amount_minor: int,
    currency: str,
    posted_at: datetime,
    reason: str | None = None,
    posted_by: str | None = None,
    payment_instruction_id: UUID | None = None,
    round_number: int | None = None,
    approval_id: UUID | None = None,
    budget_line: str | None = None,
) -> None:
    """Record one transfer, and the same on the fund's budget line where it is on one.

    ``posted_by`` is the person that had it posted, where one did, and ``approval_id`` says by
    which two persons. Raises IntegrityError where an account would be overdrawn.
    """
    told = {
        "amount_minor": amount_minor,
        "currency": currency,
        "posted_at": posted_at,
        "posted_by": posted_by,
        "reason": reason,
        "payment_instruction_id": payment_instruction_id,
        "round_number": round_number,
        "approval_id": approval_id,
    }
    given = [{**told, **_sides(posting, debit_scope=debit_scope, credit_scope=credit_scope)}]
    on_line = on_a_line(posting)
    if budget_line is not None and on_line is not None:
        scope = scope_of_line(debit_scope, budget_line)
        given.append({**told, **_sides(on_line, debit_scope=scope, credit_scope=scope)})
    for each in given:
        await session.execute(_POST, each)


def _sides(posting: Posting, *, debit_scope: str, credit_scope: str) -> dict[str, str]:
    return {
        "debit": posting.debit.value,
        "credit": posting.credit.value,
        "code": posting.code.value,
        "debit_scope": debit_scope,
        "credit_scope": credit_scope,
    }


def is_overdraft(error: IntegrityError) -> bool:
    """Whether the database refused a transfer because an account would be overdrawn."""
    return OVERDRAFT_CONSTRAINT in str(error.orig)
