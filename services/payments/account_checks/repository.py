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
from services.payments.providers.protocol import SealedAccount
from services.payments.settings import ProviderSettings
from services.payments.settings.provider import Asked
from services.payments.statements import AnyRow
from shared.contracts.accounts import PreparedPage

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
_BEGIN_PREPARING = text(statements.BEGIN_PREPARING)
_PICK_PREPARATION = text(statements.PICK_PREPARATION)
_LOCK_PREPARATION = text(statements.LOCK_PREPARATION)
_KEEP_PREPARED = text(statements.KEEP_PREPARED)
_END_PAGE = text(statements.END_PAGE)
_PUT_PREPARATION_OFF = text(statements.PUT_PREPARATION_OFF)
_FORGET_PREPARED = text(statements.FORGET_PREPARED)
_PREPARATIONS = text(statements.PREPARATIONS)


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
    """An account that is to be asked about: a payment waits for it, or may come to it."""

    account: SealedAccount
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
    readiness_id: UUID | None = None


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
            account=SealedAccount(row.household_id, row.account_sealed),
            account_fingerprint=row.account_fingerprint,
            tries=row.tries,
        )
        for row in rows
        if row.account_sealed is not None
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
        "households": [each.due.account.household_id for each in learnt],
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


async def begin_preparing(session: AsyncSession) -> None:
    """Have the accounts fetched of whomever a trigger that became ready would pay."""
    await session.execute(_BEGIN_PREPARING)


async def pick_preparation(
    session: AsyncSession, *, lease_seconds: float
) -> tuple[UUID, UUID | None] | None:
    """The span of readiness of which accounts are to be fetched now, and behind which household.

    It is put off, in case nobody comes back. None: there is none.
    """
    given = {"lease_seconds": lease_seconds}
    row = (await session.execute(_PICK_PREPARATION, given)).one_or_none()
    return (row.readiness_id, row.after) if row else None


async def keep_prepared(
    session: AsyncSession,
    readiness_id: UUID,
    page: PreparedPage,
    *,
    after: UUID | None,
    asked: AskedProviders,
    again_seconds: float,
    at: datetime,
) -> None:
    """Keep a page of accounts behind a household, and have asked about what has not passed.

    Nothing, where another worker has kept it meanwhile.
    """
    given = {"readiness_id": readiness_id, "after": after}
    if (await session.execute(_LOCK_PREPARATION, given)).one_or_none() is None:
        return
    await session.execute(
        _KEEP_PREPARED,
        {
            "readiness_id": readiness_id,
            "households": [each.household_id for each in page.items],
            "providers": [each.provider for each in page.items],
            "fingerprints": [each.account_fingerprint for each in page.items],
            "household_fingerprints": [each.household_fingerprint for each in page.items],
            "accounts": [each.account_sealed for each in page.items],
            "at": at,
            **asked.given(),
        },
    )
    await session.execute(
        _END_PAGE,
        {
            "readiness_id": readiness_id,
            "next": page.next_after,
            "again_seconds": again_seconds,
            "at": at,
        },
    )


async def put_preparation_off(session: AsyncSession, readiness_id: UUID, *, seconds: float) -> None:
    """Fetch the accounts of a span again later."""
    given = {"readiness_id": readiness_id, "seconds": seconds}
    await session.execute(_PUT_PREPARATION_OFF, given)


async def forget_prepared(session: AsyncSession, *, size: int) -> int:
    """Delete so many accounts of spans that ended; how many."""
    forgotten: Any = await session.execute(_FORGET_PREPARED, {"size": size})
    return int(forgotten.rowcount)


async def list_preparations(
    session: AsyncSession, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """Spans of readiness with what is known of the accounts of whomever they would have paid."""
    rows = await session.execute(_PREPARATIONS, {"after": after, "limit": limit})
    return rows.all()
