"""Showing rounds, and releasing those that are due."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation, require_not_cancelled
from services.registry.approvals.tables import ApprovalKind
from services.registry.chunks.planning import plan_later_round
from services.registry.rounds import repository
from services.registry.rounds.schemas import RoundOut, RoundStatus
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import get_document
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.version import API_PREFIX


async def list_rounds(
    session: AsyncSession, activation_id: UUID, *, clock: Clock
) -> list[RoundOut]:
    """Every round of an activation; raises NotFound."""
    await get_activation(session, activation_id)
    rows = await repository.list_rounds(session, activation_id)
    return [_shown(row, today=clock.today()) for row in rows]


async def release_round(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    number: int,
    *,
    alone_minor: Mapping[str, int],
    caller: Caller,
    clock: Clock,
) -> RoundOut | ApprovalOut:
    """Release a later round, or propose it: by currency, ``alone_minor`` is what one may release.

    Payments of the round before that are still on their way, or failed, do not hold it back: one
    account that a provider is slow with must not keep a country waiting. Chunks of it that are
    still being worked out do, since they say who is enrolled.
    """
    document = await _require_releasable(session, activation_id, number, clock=clock)
    currency = document.currency
    would_pay = await repository.would_pay(session, activation_id, document, as_of=clock.today())
    if would_pay.amount_minor <= alone_minor.get(currency, 0):
        await _release(session, activation_id, number, by=caller.subject, clock=clock)
        return await _round(session, activation_id, number, clock=clock)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.ROUND_RELEASE,
        {"activation_id": str(activation_id), "round": number},
        Effect(
            what=f"Release round {number} of activation {activation_id}: "
            f"{_told(would_pay, currency)}.",
            households=would_pay.households,
            amount_minor=would_pay.amount_minor,
            currency=currency,
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Release a round as two persons wanted it, if it is no more than they saw."""
    activation_id = UUID(proposal.document["activation_id"])
    number = int(proposal.document["round"])
    document = await _require_releasable(session, activation_id, number, clock=clock)
    currency = document.currency
    would_pay = await repository.would_pay(session, activation_id, document, as_of=clock.today())
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    more = would_pay.households > proposal.households
    if more or would_pay.amount_minor > proposal.amount_minor:
        raise Conflict(
            f"The round comes to {_told(would_pay, currency)} by now, more than was proposed. "
            "Decline it, and propose its release again."
        )
    await _release(session, activation_id, number, by=proposal.proposed_by, clock=clock)
    return f"{API_PREFIX}/activations/{activation_id}/rounds"


async def _require_releasable(
    session: AsyncSession, activation_id: UUID, number: int, *, clock: Clock
) -> SchemeDocument:
    """The scheme by which a round is paid whose turn it is; raises NotFound, Conflict.

    Until the commit nothing else of the activation is let through.
    """
    activation = await activations.lock_activation(session, activation_id)
    rounds = await activations.lock_rounds(session, activation_id)
    if activation is None or number not in rounds:
        raise NotFound(
            "There is no such activation, or no such round of it. "
            f"GET /v1/activations/{activation_id}/rounds lists them."
        )
    require_not_cancelled(activation)
    wanted = rounds[number]
    if wanted.released_at is not None:
        raise Conflict(f"Round {number} was released already, by {wanted.released_by}.")
    if clock.today() < wanted.due_on:
        raise Conflict(f"Round {number} is due on {wanted.due_on}. Release it then.")
    before = await _round(session, activation_id, number - 1, clock=clock)
    if before.released_at is None:
        raise Conflict(f"Round {number - 1} comes first, and is not released yet.")
    if before.chunks_done < before.chunks_planned:
        raise Conflict(
            f"Round {number - 1} is still being worked out: {before.chunks_done} of "
            f"{before.chunks_planned} chunks are done. Try again when all are."
        )
    assert activation.scheme_version is not None, "it has rounds"
    return await get_document(session, activation.scheme_code, activation.scheme_version)


async def _release(
    session: AsyncSession, activation_id: UUID, number: int, *, by: str, clock: Clock
) -> None:
    await activations.mark_released(session, activation_id, number, by=by, at=clock.now())
    await plan_later_round(session, activation_id=activation_id, round_number=number, clock=clock)


def _told(would_pay: repository.WouldPay, currency: str) -> str:
    count = would_pay.households
    households = "1 household" if count == 1 else f"{count:,} households"
    return f"{households} and {would_pay.amount_minor:,} {currency}"


async def _round(
    session: AsyncSession, activation_id: UUID, number: int, *, clock: Clock
) -> RoundOut:
    rows = await repository.list_rounds(session, activation_id)
    return next(_shown(row, today=clock.today()) for row in rows if row.number == number)


def _shown(row: Row[Any], *, today: date) -> RoundOut:
    fields = row._asdict()
    chunks_open = fields.pop("chunks_open")
    if row.released_at is None:
        status = RoundStatus.DUE if row.due_on <= today else RoundStatus.SCHEDULED
    elif row.runs_held:
        status = RoundStatus.HELD
    elif chunks_open:
        status = RoundStatus.RELEASED
    else:
        status = RoundStatus.FINISHED
    return RoundOut(status=status, **fields)
