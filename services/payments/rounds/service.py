"""Reading rounds, and releasing by two persons what does not go by itself."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.funds.repository import lock_bounds
from services.payments.rounds import repository
from services.payments.rounds.releasing import above_payment, judge, release, reserve
from services.payments.rounds.repository import GatheredRound
from services.payments.rounds.schemas import ReleaseIn, RoundOut
from services.payments.rounds.states import RoundStatus
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound

MISSING = "There is no such round. GET /v1/rounds lists them."


def release_step(waits: timedelta) -> Step:
    """The release of a round above its fund's bounds, as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.ROUND_RELEASE, waits=waits, carry_out=_release)


async def get_round(session: AsyncSession, number: int) -> RoundOut:
    """A round; raises NotFound."""
    row = await repository.find_round(session, number)
    if row is None:
        raise NotFound(MISSING)
    return RoundOut.model_validate(row._asdict())


async def propose_release(
    session: AsyncSession,
    steps: Steps,
    number: int,
    given: ReleaseIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to release a round that waits for that; raises NotFound, Conflict."""
    gathered = await _lock_releasable(session, number)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.ROUND_RELEASE,
        {
            "number": gathered.number,
            "activation_id": str(gathered.activation_id),
            "scheme": gathered.scheme,
            "round": gathered.round,
            "fund": gathered.fund,
        },
        Effect(
            what=f"Release round {gathered.round} of scheme {gathered.scheme} from fund "
            f"{gathered.fund}: {gathered.raised_count:,} payments, "
            f"{readable(gathered.largest_minor, gathered.currency)} at most each.",
            households=gathered.raised_count,
            amount_minor=gathered.raised_minor,
            currency=gathered.currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def _release(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    number = int(proposal.document["number"])
    gathered = await _lock_releasable(session, number)
    if gathered.raised_minor != proposal.amount_minor:
        raise Conflict(
            f"The round comes to {readable(gathered.raised_minor, gathered.currency)} now; it came "
            f"to {readable(proposal.amount_minor or 0, proposal.currency)} when this was proposed. "
            "Propose it again."
        )
    _, reason = await reserve(session, gathered, at=clock.now(), approval_id=proposal.id)
    if reason is not None:
        raise Conflict(reason)
    await release(session, gathered, at=clock.now())
    return f"/v1/rounds/{number}"


async def _lock_releasable(session: AsyncSession, number: int) -> GatheredRound:
    gathered = await repository.lock_gathered(session, number)
    if gathered is None:
        raise NotFound(MISSING)
    if gathered.status is not RoundStatus.UNAPPROVED:
        raise Conflict(
            f"The round is {gathered.status}: only one that is unapproved is released by two "
            "persons. GET /v1/rounds?status=unapproved lists those."
        )
    _, reason = judge(gathered)
    # After the round, as whoever releases by the bounds alone locks them.
    bounds = await lock_bounds(session, gathered.fund)
    if reason is None and bounds is not None:
        reason = above_payment(gathered, bounds)
    if reason is not None:
        raise Conflict(reason)
    return gathered
