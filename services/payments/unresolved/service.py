"""What has no end, or not a good one: how much of each kind, and which."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.unresolved import repository
from services.payments.unresolved.kinds import WAYS, UnresolvedKind
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.schemas import (
    UnresolvedItemOut,
    UnresolvedListOut,
    UnresolvedOut,
    UnresolvedSortOut,
)
from shared.clock import Clock
from shared.pagination import Page, PageOf


async def overview(session: AsyncSession, limits: Limits, *, clock: Clock) -> UnresolvedListOut:
    """Every kind with how much there is of it, how old the oldest is, and what to do."""
    sorts: dict[UnresolvedKind, list[UnresolvedSortOut]] = {kind: [] for kind in UnresolvedKind}
    for row in await repository.summary(session, limits, now=clock.now()):
        sorts[UnresolvedKind(row.kind)].append(
            UnresolvedSortOut(
                reason=row.reason,
                currency=row.currency,
                count=row.rows,
                amount_minor=row.amount_minor,
                oldest_age_seconds=row.oldest_age_seconds,
            )
        )
    return UnresolvedListOut(
        kinds=[
            UnresolvedOut(
                kind=kind,
                meaning=WAYS[kind].meaning,
                what_to_do=WAYS[kind].what_to_do,
                count=sum(sort.count for sort in found),
                oldest_age_seconds=max((sort.oldest_age_seconds for sort in found), default=None),
                sorts=sorted(found, key=lambda sort: (sort.reason or "", sort.currency or "")),
            )
            for kind, found in sorts.items()
        ]
    )


async def list_page(
    session: AsyncSession,
    kind: UnresolvedKind,
    limits: Limits,
    page: Page,
    *,
    provider: str | None,
    activation_id: UUID | None,
    reason: str | None,
    clock: Clock,
) -> PageOf[UnresolvedItemOut]:
    """A page of the items of a kind, oldest first."""
    rows = await repository.list_items(
        session,
        kind,
        limits,
        now=clock.now(),
        after=page.after(datetime, UUID),
        limit=page.fetch_limit,
        provider=provider,
        activation_id=activation_id,
        reason=reason,
    )
    items = [UnresolvedItemOut.model_validate(row._asdict()) for row in rows]
    return page.of(items, key=lambda item: (item.since, item.id))
