"""What officers propose about single payments: to try again, or how it ended."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks.repository import (
    AskedProviders,
    check_at_another,
    check_attempt,
)
from services.payments.amounts import readable
from services.payments.answers.repository import says_paid
from services.payments.approvals.tables import ApprovalKind
from services.payments.budget_lines.repository import line_room
from services.payments.funds.repository import lock_bounds
from services.payments.instructions import repository
from services.payments.instructions.repository import Known
from services.payments.instructions.service import MISSING
from services.payments.instructions.states import Status
from services.payments.interventions.schemas import ResolutionIn
from services.payments.ledger.accounts import ATTEMPT_RESERVED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.resolutions import service as resolutions
from services.payments.resolutions.schemas import ResolutionsIn
from services.payments.routing.attempts import way_of_attempt
from services.payments.routing.repository import reroute_attempt
from services.payments.settings import ApiSettings
from services.payments.settlement.reopening import reopen_chunks
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound


def attempt_step(waits: timedelta, *, settings: ApiSettings) -> Step:
    """A further attempt as a kind of step that needs two persons."""
    return Step(
        kind=ApprovalKind.ATTEMPT,
        waits=waits,
        carry_out=partial(_attempt_again, settings=settings),
    )


async def propose_resolution(
    session: AsyncSession,
    steps: Steps,
    instruction_id: UUID,
    body: ResolutionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose how a payment ended, for another person to approve; raises NotFound, Conflict."""
    return await resolutions.propose(
        session,
        steps,
        ResolutionsIn(
            outcome=body.outcome,
            reason=body.reason,
            instruction_ids=[instruction_id],
            paid_minor=body.paid_minor,
        ),
        caller=caller,
        clock=clock,
    )


async def propose_attempt(
    session: AsyncSession,
    steps: Steps,
    instruction_id: UUID,
    *,
    reason: str,
    caller: Caller,
    settings: ApiSettings,
    clock: Clock,
) -> ApprovalOut:
    """Propose a new instruction after a definite rejection, into the same account.

    Where the rule about its provider says so, another provider pays it.

    Raises NotFound, and Conflict where it is not rejected, has a later attempt already, or is more
    than its fund pays one household.
    """
    known = await _lock_triable(session, instruction_id, attempts_maximum=settings.attempts_maximum)
    way = await way_of_attempt(session, instruction_id, settings=settings)
    by = f", by {way.to} in the place of the provider that rejected it" if way else ""
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.ATTEMPT,
        {"instruction_id": str(instruction_id), "provider": way.to if way else None},
        Effect(
            what=f"Try a rejected payment of {readable(known.amount_minor, known.currency)} again, "
            f"into the same account{by}.",
            households=1,
            amount_minor=known.amount_minor,
            currency=known.currency,
        ),
        reason=reason,
        caller=caller,
        clock=clock,
    )


async def _attempt_again(
    session: AsyncSession, proposal: Approval, clock: Clock, *, settings: ApiSettings
) -> str:
    instruction_id = UUID(proposal.document["instruction_id"])
    known = await _lock_triable(session, instruction_id, attempts_maximum=settings.attempts_maximum)
    way = await way_of_attempt(session, instruction_id, settings=settings)
    if proposal.document.get("provider") != (way.to if way else None):
        raise Conflict(
            "By whom it would be paid has changed since this was proposed: GET /v1/routes says "
            "how. Propose it again."
        )
    paid_in = await repository.round_of(session, instruction_id)
    at = clock.now()
    await reopen_chunks(session, [known.chunk_number], at=at)
    try:
        attempt_id = await repository.insert_attempt(session, of=instruction_id)
        asked = AskedProviders.of(settings.providers)
        if way is None:
            await check_attempt(session, attempt_id, rejected_id=instruction_id, asked=asked, at=at)
        else:
            await reroute_attempt(session, attempt_id, route=way.route, to=way.to, at=at)
            is_checked = way.to in asked.checked
            await check_at_another(session, [attempt_id], is_checked=is_checked, at=at)
        await post(
            session,
            ATTEMPT_RESERVED,
            debit_scope=paid_in.fund,
            credit_scope=paid_in.fund,
            budget_line=paid_in.budget_line,
            amount_minor=known.amount_minor,
            currency=paid_in.currency,
            posted_at=at,
            reason=proposal.reason,
            payment_instruction_id=attempt_id,
            approval_id=proposal.id,
        )
    except IntegrityError as error:
        raise _conflict(error) from None
    return f"/v1/instructions/{attempt_id}"


async def _lock_triable(
    session: AsyncSession, instruction_id: UUID, *, attempts_maximum: int
) -> Known:
    known = (await repository.lock_known(session, [instruction_id])).get(instruction_id)
    if known is None:
        raise NotFound(MISSING)
    if known.status is not Status.REJECTED:
        raise Conflict(f"It is {known.status}: only a rejected instruction is tried again.")
    if known.attempt >= attempts_maximum:
        raise Conflict(
            f"It was tried {known.attempt} times into this account, which is as often as is tried "
            "(PAYMENTS_ATTEMPTS_MAXIMUM). Mend the household's account, then POST "
            "/v1/activations/{activation_id}/repairs of the registry."
        )
    if await repository.has_later_attempt(session, instruction_id):
        raise Conflict("It was tried again already: GET /v1/instructions?entitlement_id= shows it.")
    if await says_paid(session, instruction_id):
        raise Conflict(
            "The provider says that an earlier attempt was paid, and that waits to be recorded: "
            "GET /v1/alarms says what for. Try again once it is."
        )
    paid_in = await repository.round_of(session, instruction_id)
    bounds = await lock_bounds(session, paid_in.fund)
    maximum_minor = bounds.maximum_payment_minor if bounds else None
    if paid_in.budget_line is not None:
        room_minor = await line_room(session, paid_in.fund, paid_in.budget_line) or 0
        if known.amount_minor > room_minor:
            raise Conflict(
                f"It is {readable(known.amount_minor, known.currency)}, and budget line "
                f"{paid_in.budget_line} of fund {paid_in.fund} has room for "
                f"{readable(max(room_minor, 0), known.currency)}: POST "
                f"/v1/funds/{paid_in.fund}/budget-lines raises its ceiling, by two persons."
            )
    if maximum_minor is not None and known.amount_minor > maximum_minor:
        raise Conflict(
            f"It is {readable(known.amount_minor, known.currency)}, and fund {paid_in.fund} pays "
            f"one household {readable(maximum_minor, known.currency)} at most, one time: "
            f"POST /v1/funds/{paid_in.fund}/bounds changes that, by two persons."
        )
    return known


def _conflict(error: IntegrityError) -> Conflict:
    if is_overdraft(error):
        return Conflict("The fund does not cover that: top it up first.")
    return Conflict(
        "Another instruction for the same entitlement is live or settled: a household is paid an "
        "entitlement once."
    )
