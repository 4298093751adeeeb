"""Telling what became of an entitlement: its attempts, their steps, and where the money is."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.histories import repository
from services.payments.histories.schemas import AttemptOut, HistoryOut, StepOut
from services.payments.histories.wording import NO_PAYMENT, gone_by, to_fetch, told
from services.payments.instructions.repository import reroutings_of
from services.payments.instructions.states import Status
from services.payments.rounds.states import RoundStatus
from services.payments.statements import AnyRow
from shared.bounds import Bound
from shared.errors import NotFound
from shared.wording.said import Said


async def history_of(session: AsyncSession, entitlement_id: UUID, *, bound: Bound) -> HistoryOut:
    """Everything that was tried to pay an entitlement; raises NotFound."""
    attempts = await repository.attempts_of(session, entitlement_id, bound=bound)
    if not attempts:
        raise NotFound(NO_PAYMENT)
    moves = await repository.moves_of(session, [attempt.id for attempt in attempts])
    steps: dict[UUID, list[StepOut]] = defaultdict(list)
    for move in moves:
        status = Status(move.to_status)
        steps[move.instruction_id].append(
            StepOut(
                at=move.posted_at,
                status=status,
                # What was ready at a time was of a round that was released.
                said=Said.of(told(status, move.reason, round_status=RoundStatus.RELEASED)),
            )
        )
    gone: dict[UUID, list[Said]] = defaultdict(list)
    for each in await reroutings_of(session, [attempt.id for attempt in attempts]):
        told_so = gone_by(each.cause, former=each.from_name, latter=each.to_name)
        gone[each.instruction_id].append(Said.of(told_so))
    shown = [_attempt(attempt, steps[attempt.id], gone[attempt.id]) for attempt in attempts]
    # The one that paid says where the money is; without one, the last.
    decisive = next((each for each in shown if each.status is Status.SETTLED), shown[-1])
    first = attempts[0]
    return HistoryOut(
        entitlement_id=entitlement_id,
        household_id=first.household_id,
        activation_id=first.activation_id,
        scheme=first.scheme,
        round=first.round,
        is_paid=decisive.status is Status.SETTLED,
        said=decisive.said,
        attempts=shown,
    )


def _attempt(row: AnyRow, steps: list[StepOut], gone: list[Said]) -> AttemptOut:
    status = Status(row.status)
    prepared = StepOut(
        at=row.raised_at or row.announced_at,
        status=Status.READY,
        said=Said.of(told(Status.READY, None, round_status=RoundStatus.GATHERING)),
    )
    said = told(status, row.reason, round_status=RoundStatus(row.round_status))
    if row.claim_by is not None:
        said = to_fetch(row.provider_name, row.claim_by)
    return AttemptOut(
        instruction_id=row.id,
        provider=row.provider,
        provider_name=row.provider_name,
        amount_minor=row.amount_minor,
        paid_minor=row.paid_minor,
        currency=row.currency,
        status=status,
        transaction_reference=row.transaction_reference,
        said=Said.of(said),
        gone_by=gone,
        steps=[prepared, *steps],
    )
