"""SQL of accounts that are checked before they are paid."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks import statements
from services.payments.account_checks.states import AccountOutcome
from services.payments.providers.protocol import Order
from services.payments.settings import ProviderSettings
from services.payments.settings.provider import Asked
from services.payments.statements import AnyRow
from shared.money import Money

_WANT = text(statements.WANT)
_CHECK_AT_ANOTHER = text(statements.CHECK_AT_ANOTHER)
_CHECK_ATTEMPT = text(statements.CHECK_ATTEMPT)
_PICK_DUE = text(statements.PICK_DUE)
_LOCK_CHECKS = text(statements.LOCK_CHECKS)
_KEEP = text(statements.KEEP)
_APPLY = text(statements.APPLY)
_LOCK_CLOSED = text(statements.LOCK_CLOSED)
_LET_UNSEEN_GO = text(statements.LET_UNSEEN_GO)
_ACCEPT = text(statements.ACCEPT)
_LIST = text(statements.LIST)


@dataclass(frozen=True, slots=True)
class AskedProviders:
    """The codes of the providers that are asked about accounts."""

    checked: Sequence[str]
    named: Sequence[str]
    """Those that are asked who holds them."""

    @classmethod
    def of(cls, providers: Sequence[ProviderSettings]) -> Self:
        """As the settings say."""
        return cls(
            checked=[provider.code for provider in providers if provider.account_checks],
            named=[
                provider.code for provider in providers if Asked.NAME in provider.account_checks
            ],
        )

    def given(self) -> dict[str, Any]:
        """The values that statements bind."""
        return {"checked": list(self.checked), "named": list(self.named)}


@dataclass(frozen=True, slots=True)
class DueCheck:
    """An account that is to be asked about, with a payment that waits for it."""

    order: Order
    account_fingerprint: bytes
    tries: int
    """How often it was asked about in vain."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How alike the names are, as the registry said."""

    verdict: str
    likeness: int
    method: str
    pair: bytes


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of asking about an account."""

    due: DueCheck
    outcome: AccountOutcome | None
    """None: nothing was learnt."""
    reason: str | None = None
    compared: Compared | None = None
    retry_seconds: float | None = None
    """When to ask again. None, and nothing was learnt: the payment goes on unseen."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of payments that waited for what was learnt."""

    checked: int
    """How many wait for it no longer."""
    held: int
    """How many of them are held for persons."""


async def check_at_another(
    session: AsyncSession, ids: Collection[UUID], *, is_checked: bool, at: datetime
) -> None:
    """Have instructions wait for what their new provider says of their accounts, if it is asked."""
    given = {"ids": list(ids), "is_checked": is_checked, "at": at}
    await session.execute(_CHECK_AT_ANOTHER, given)


async def check_attempt(
    session: AsyncSession,
    attempt_id: UUID,
    *,
    rejected_id: UUID,
    asked: AskedProviders,
    at: datetime,
) -> None:
    """Have a further attempt at a rejected payment wait for what its provider says of its account,
    if it is asked and has not let it pass since the rejection."""
    given = {"attempt_id": attempt_id, "rejected_id": rejected_id, "at": at, **asked.given()}
    await session.execute(_CHECK_ATTEMPT, given)


@dataclass(frozen=True, slots=True)
class CheckFilter:
    """Which checks; what is None does not narrow."""

    household_id: UUID | None = None
    provider: str | None = None
    outcome: AccountOutcome | None = None


async def list_checks(
    session: AsyncSession,
    chosen: CheckFilter,
    *,
    after: tuple[UUID, str, str] | None,
    limit: int,
) -> Sequence[AnyRow]:
    """Checks by household, provider and fingerprint, behind one of them."""
    household_id, provider, fingerprint = after or (None, None, None)
    rows = await session.execute(
        _LIST,
        {
            **asdict(chosen),
            "after_household": household_id,
            "after_provider": provider,
            "after_fingerprint": fingerprint,
            "limit": limit,
        },
    )
    return rows.all()


async def want_checks(session: AsyncSession, chunk_number: int, *, at: datetime) -> None:
    """Have the accounts of a chunk asked about that were not checked: as it is raised."""
    await session.execute(_WANT, {"number": chunk_number, "at": at})


async def pick_due(
    session: AsyncSession, *, provider_number: int, size: int, lease_seconds: float
) -> list[DueCheck]:
    """Accounts to ask about now. Each is put off for so long, in case nobody comes back."""
    rows = await session.execute(
        _PICK_DUE,
        {"provider_number": provider_number, "size": size, "lease_seconds": lease_seconds},
    )
    return [
        DueCheck(
            order=Order(
                instruction_id=row.id,
                household_id=row.household_id,
                money=Money(row.amount_minor, row.currency),
                account_sealed=row.account_sealed,
            ),
            account_fingerprint=row.account_fingerprint,
            tries=row.tries,
        )
        for row in rows
        if row.id is not None
    ]


async def keep_learnt(
    session: AsyncSession,
    learnt: Sequence[Learnt],
    *,
    provider_number: int,
    likeness_least: int,
    at: datetime,
) -> Applied:
    """Keep what was learnt, and let go or hold the payments that waited for it."""
    given = {
        "provider_number": provider_number,
        "households": [each.due.order.household_id for each in learnt],
        "fingerprints": [each.due.account_fingerprint for each in learnt],
        "outcomes": [each.outcome for each in learnt],
        "reasons": [each.reason for each in learnt],
        "verdicts": [each.compared and each.compared.verdict for each in learnt],
        "likenesses": [each.compared and each.compared.likeness for each in learnt],
        "methods": [each.compared and each.compared.method for each in learnt],
        "pairs": [each.compared and each.compared.pair for each in learnt],
        "retries": [each.retry_seconds for each in learnt],
    }
    await session.execute(_LOCK_CHECKS, given)
    await session.execute(_KEEP, {**given, "at": at})
    applied = (
        await session.execute(_APPLY, {**given, "likeness_least": likeness_least, "at": at})
    ).one()
    return Applied(applied.checked, applied.held)


async def lock_closed(
    session: AsyncSession, *, provider_number: int, size: int
) -> list[tuple[UUID, str]]:
    """Lock payments of released rounds whose account cannot be paid, each with why."""
    given = {"provider_number": provider_number, "size": size}
    return [(row.id, row.reason) for row in await session.execute(_LOCK_CLOSED, given)]


async def let_unseen_go(session: AsyncSession, unasked: Collection[str], *, size: int) -> int:
    """Let payments go that wait for providers of which nothing is asked any more; how many."""
    let_go: Any = await session.execute(_LET_UNSEEN_GO, {"unasked": list(unasked), "size": size})
    return int(let_go.rowcount)


async def accept_names(
    session: AsyncSession, resolution_id: UUID, instruction_ids: Collection[UUID]
) -> None:
    """Remember of payments that a resolution let go that their accounts are right as they are."""
    await session.execute(_ACCEPT, {"resolution_id": resolution_id, "ids": list(instruction_ids)})
