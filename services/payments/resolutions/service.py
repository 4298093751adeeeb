"""Proposing how payments ended, for a second person to approve, and how that is carried out."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.approvals.tables import ApprovalKind
from services.payments.instructions.states import Status
from services.payments.resolutions import repository
from services.payments.resolutions.repository import Choice
from services.payments.resolutions.schemas import ResolutionItemOut, ResolutionOut, ResolutionsIn
from services.payments.resolutions.states import FITS, Outcome, Result
from services.payments.statements import AnyRow
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps, service
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf

MISSING = "There is no such resolution. GET /v1/resolutions lists them."
MAXIMUM_CHOSEN = 1_000_000
_TOLD = 5

_WORDS: dict[Outcome, str] = {
    Outcome.SETTLED: "Record {count} as settled",
    Outcome.REJECTED: "Record {count} as rejected",
    Outcome.RETURNED: "Record {count} as returned",
    Outcome.RESEND: "Send {count} again, where the provider does not know them",
    Outcome.CANCELLED: "Cancel {count}",
    Outcome.RELEASED: "Let {count} be sent after all",
}


def resolution_step(waits: timedelta) -> Step:
    """Resolutions as a kind of step that needs two persons: approved, the worker carries it out."""

    async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
        await repository.mark_approved(session, proposal.id, at=clock.now())
        return f"/v1/resolutions/{proposal.id}"

    return Step(kind=ApprovalKind.RESOLUTION, waits=waits, carry_out=carry_out)


async def propose(
    session: AsyncSession, steps: Steps, body: ResolutionsIn, *, caller: Caller, clock: Clock
) -> ApprovalOut:
    """Keep which payments are to be resolved and how; nothing moves before another approves.

    Raises NotFound where a listed payment is not there, and Conflict where one does not fit the
    outcome, none does, or they are of several currencies.
    """
    if body.instruction_ids is not None:
        await _require_fitting(session, body.outcome, body.instruction_ids)
        return await propose_about(
            session,
            steps,
            body.outcome,
            body.instruction_ids,
            _document(body),
            reason=body.reason,
            paid_minor=body.paid_minor,
            caller=caller,
            clock=clock,
        )
    assert body.chosen is not None
    _require_fit(body.outcome, body.chosen.status)
    return await propose_about(
        session,
        steps,
        body.outcome,
        Choice(**dict(body.chosen)),
        _document(body),
        reason=body.reason,
        paid_minor=body.paid_minor,
        caller=caller,
        clock=clock,
    )


async def propose_about(
    session: AsyncSession,
    steps: Steps,
    outcome: Outcome,
    chosen: Sequence[UUID] | Choice,
    document: dict[str, Any],
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
    paid_minor: int | None = None,
) -> ApprovalOut:
    """Propose an outcome for those that fit it among the listed or chosen payments, as they are.

    ``document`` is what was asked for. Raises Conflict where none fits, or they are of several
    currencies.
    """
    resolution_id = new_id()
    if isinstance(chosen, Choice):
        await repository.add_chosen(session, resolution_id, outcome, chosen, maximum=MAXIMUM_CHOSEN)
    else:
        await repository.add_listed(session, resolution_id, outcome, chosen)
    await repository.insert_resolution(session, resolution_id, outcome, paid_minor=paid_minor)
    effect = _effect(outcome, await repository.effect_of(session, resolution_id))
    return await service.propose(
        session,
        steps,
        ApprovalKind.RESOLUTION,
        document,
        effect,
        reason=reason,
        caller=caller,
        clock=clock,
        approval_id=resolution_id,
    )


async def get(session: AsyncSession, resolution_id: UUID, *, clock: Clock) -> ResolutionOut:
    """A resolution and how far it is; raises NotFound."""
    [shown] = await _shown(session, [await _require(session, resolution_id)], clock=clock)
    return shown


async def list_page(session: AsyncSession, page: Page, *, clock: Clock) -> PageOf[ResolutionOut]:
    """A page of resolutions, oldest first."""
    rows = await repository.list_resolutions(
        session, after=page.after(UUID), limit=page.fetch_limit
    )
    found = page.of(rows, key=lambda row: (row.id,))
    return PageOf(
        items=await _shown(session, found.items, clock=clock), next_cursor=found.next_cursor
    )


async def list_items(
    session: AsyncSession, resolution_id: UUID, page: Page, *, result: Result | None
) -> PageOf[ResolutionItemOut]:
    """A page of a resolution's payments; raises NotFound."""
    await _require(session, resolution_id)
    rows = await repository.list_items(
        session, resolution_id, result=result, after=page.after(UUID), limit=page.fetch_limit
    )
    items = [ResolutionItemOut.model_validate(row._asdict()) for row in rows]
    return page.of(items, key=lambda item: (item.instruction_id,))


async def _require(session: AsyncSession, resolution_id: UUID) -> AnyRow:
    row = await repository.find_resolution(session, resolution_id)
    if row is None:
        raise NotFound(MISSING)
    return row


async def require_held(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Raises NotFound where one is not there, Conflict where a rule does not hold one."""
    await _require_fitting(session, Outcome.RELEASED, ids)


async def _require_fitting(session: AsyncSession, outcome: Outcome, ids: Sequence[UUID]) -> None:
    standing = await repository.standing_of(session, ids)
    missing = [str(instruction_id) for instruction_id in ids if instruction_id not in standing]
    if missing:
        raise NotFound(
            f"{len(missing)} of these instructions are not here, such as "
            f"{', '.join(missing[:_TOLD])}. GET /v1/instructions lists them."
        )
    unfit = [
        f"{instruction_id} is {row.status}{' and held by no rule' * _is_free(outcome, row)}"
        for instruction_id, row in standing.items()
        if row.status not in FITS[outcome] or _is_free(outcome, row)
    ]
    if unfit:
        raise Conflict(
            f"{_fitting(outcome)} {len(unfit)} of these are not, such as "
            f"{', '.join(unfit[:_TOLD])}."
        )


def _is_free(outcome: Outcome, row: AnyRow) -> bool:
    return outcome is Outcome.RELEASED and not row.withheld


def _require_fit(outcome: Outcome, status: Status) -> None:
    if status not in FITS[outcome]:
        raise Conflict(_fitting(outcome))


def _fitting(outcome: Outcome) -> str:
    held = ", and that a rule holds" if outcome is Outcome.RELEASED else ""
    return f"The outcome {outcome} is for payments that are {' or '.join(FITS[outcome])}{held}."


def _effect(outcome: Outcome, row: AnyRow) -> Effect:
    if row.payments == 0:
        raise Conflict(
            "There is no such payment. GET /v1/unresolved shows what waits for a decision; what "
            "is in a round that is not released cannot be cancelled."
        )
    if row.payments >= MAXIMUM_CHOSEN:
        raise Conflict(
            f"These are {MAXIMUM_CHOSEN:,} payments or more: choose by provider or activation."
        )
    if len(row.currencies) > 1:
        raise Conflict(
            f"These are of several currencies, {' and '.join(sorted(row.currencies))}: "
            "choose by provider, and propose one resolution for each."
        )
    payments = (
        f"{row.payments:,} {' or '.join(sorted(row.statuses))} payment{'s'[: row.payments > 1]}"
    )
    where = " and ".join(sorted(row.providers))
    held = f" Rules hold them: {', '.join(row.rules)}." if row.rules else ""
    return Effect(
        what=f"{_WORDS[outcome].format(count=payments)}, at {where}.{held}",
        households=row.households,
        amount_minor=row.amount_minor,
        currency=row.currencies[0],
    )


def _document(body: ResolutionsIn) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude={"reason", "instruction_ids"}, exclude_none=True)


async def _shown(
    session: AsyncSession, rows: Sequence[AnyRow], *, clock: Clock
) -> list[ResolutionOut]:
    ids = [row.id for row in rows]
    counts = await repository.counts_of(session, ids)
    proposals = await repository.proposals_of(session, ids)
    now = clock.now()
    return [
        ResolutionOut(
            id=row.id,
            outcome=row.outcome,
            paid_minor=row.paid_minor,
            count=counted.payments,
            open_count=counted.payments
            - counted.done_count
            - counted.overtaken_count
            - counted.refused_count,
            done_count=counted.done_count,
            overtaken_count=counted.overtaken_count,
            refused_count=counted.refused_count,
            finished_at=row.finished_at,
            proposal=service.shown(proposals[row.id], now=now),
        )
        for row in rows
        for counted in [counts[row.id]]
    ]
