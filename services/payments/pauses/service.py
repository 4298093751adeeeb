"""Pausing, which one person may, and resuming, which takes two."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.existence import Named
from services.payments.pauses import repository
from services.payments.pauses.repository import Scope
from services.payments.pauses.schemas import (
    PauseIn,
    PauseMadeOut,
    PauseOut,
    PauseWaitingOut,
    PauseWithWaitingOut,
)
from services.payments.statements import AnyRow
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.ids import new_id
from shared.pagination import Page, PageOf

MISSING = "There is no such pause. GET /v1/pauses lists those in force."
_WHERE = {
    "scheme": ("scheme", "GET /v1/schemes"),
    "activation_id": ("activation", "GET /v1/activations"),
    "area": ("area", "GET /v1/areas"),
}
_ENDED = "It was resumed at {at}: GET /v1/pauses lists the pauses in force."


def resumption_step(waits: timedelta) -> Step:
    """The end of a pause as a kind of step that needs two persons: it lets money go."""
    return Step(kind=ApprovalKind.RESUMPTION, waits=waits, carry_out=_resume)


async def pause(
    session: AsyncSession, body: PauseIn, *, named: Named, caller: Caller, clock: Clock
) -> PauseMadeOut:
    """Have nothing of it sent from now on; raises Unprocessable for what is not there.

    ``named`` is what the registry said of it. Where it said nothing, money is stopped all the same.
    """
    provider_number = None
    if body.provider is not None:
        provider_number = await repository.number_of_provider(session, body.provider)
        if provider_number is None:
            raise Unprocessable(
                f"There is no provider {body.provider}. GET /v1/providers lists them."
            )
    heard = await repository.heard_of(session, scheme=body.scheme, activation_id=body.activation_id)
    known = {name for name in ("scheme", "activation_id") if getattr(heard, name)}
    if unknown := [name for name in named.unknown if name not in known]:
        raise Unprocessable(
            f"There is no {' or '.join(_WHERE[name][0] for name in unknown)} of that name, so this "
            "would stop nothing. "
            + " ".join(f"{_WHERE[name][1]} of the registry lists them." for name in unknown)
        )
    pause_id = new_id()
    scope = Scope(provider_number, body.scheme, body.activation_id, body.area)
    await repository.insert_pause(
        session, pause_id, scope, reason=body.reason, by=caller.subject, at=clock.now()
    )
    await audit.record(
        session,
        f"pauses/{pause_id}",
        after=body.model_dump(mode="json", exclude={"reason"}, exclude_none=True),
        reason=body.reason,
    )
    made = await get(session, pause_id, clock=clock)
    not_checked = [name for name in named.unsaid if name not in known]
    return PauseMadeOut(**made.model_dump(), not_checked=not_checked)


async def get(session: AsyncSession, pause_id: UUID, *, clock: Clock) -> PauseWithWaitingOut:
    """A pause and what waits for it; raises NotFound."""
    row = await _require(session, pause_id)
    waiting = await repository.waiting_for(session, pause_id)
    return PauseWithWaitingOut(
        **_shown(row, now=clock.now()).model_dump(),
        rounds=await repository.count_rounds(session, pause_id),
        waiting=[
            PauseWaitingOut(
                currency=sort.currency,
                count=sort.payments,
                households=sort.households,
                amount_minor=sort.amount_minor,
            )
            for sort in waiting
        ],
    )


async def list_page(
    session: AsyncSession, page: Page, *, resumed: bool, clock: Clock
) -> PageOf[PauseOut]:
    """A page of pauses, oldest first."""
    rows = await repository.list_pauses(
        session, after=page.after(UUID), limit=page.fetch_limit, resumed=resumed
    )
    now = clock.now()
    return page.of([_shown(row, now=now) for row in rows], key=lambda shown: (shown.id,))


async def propose_resumption(
    session: AsyncSession,
    steps: Steps,
    pause_id: UUID,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to end a pause; raises NotFound, Conflict where it has ended."""
    row = await _require_in_force(session, pause_id)
    waiting = await repository.waiting_for(session, pause_id)
    money = " and ".join(readable(sort.amount_minor, sort.currency) for sort in waiting)
    count = sum(sort.payments for sort in waiting)
    only = waiting[0] if len(waiting) == 1 else None
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.RESUMPTION,
        {"pause_id": str(pause_id), **_named(row)},
        Effect(
            what=f"Send again what is paused, {_told(row)}: {count:,} payments wait for it"
            f"{', ' + money if money else ''}.",
            households=sum(sort.households for sort in waiting),
            amount_minor=only.amount_minor if only else None,
            currency=only.currency if only else None,
        ),
        reason=reason,
        caller=caller,
        clock=clock,
    )


async def _resume(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    pause_id = UUID(proposal.document["pause_id"])
    if not await repository.end_pause(session, pause_id, at=clock.now()):
        await _require_in_force(session, pause_id)
    return f"/v1/pauses/{pause_id}"


async def _require(session: AsyncSession, pause_id: UUID) -> AnyRow:
    row = await repository.find_pause(session, pause_id)
    if row is None:
        raise NotFound(MISSING)
    return row


async def _require_in_force(session: AsyncSession, pause_id: UUID) -> AnyRow:
    row = await _require(session, pause_id)
    if row.resumed_at is not None:
        raise Conflict(_ENDED.format(at=row.resumed_at.isoformat()))
    return row


def _named(row: AnyRow) -> dict[str, str]:
    names = {
        "provider": row.provider,
        "scheme": row.scheme,
        "activation_id": row.activation_id,
        "area": row.area,
    }
    return {name: str(value) for name, value in names.items() if value is not None}


def _told(row: AnyRow) -> str:
    return ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in _named(row).items())


def _shown(row: AnyRow, *, now: datetime) -> PauseOut:
    age = (row.resumed_at or now) - row.paused_at
    return PauseOut(**row._asdict(), age_seconds=max(int(age.total_seconds()), 0))
