"""Differences: shown with their age, given to persons, and ended by two of them, with a posting."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.differences import repository
from services.payments.differences.repository import Filter
from services.payments.differences.schemas import DifferenceOut, DifferenceResolutionIn
from services.payments.differences.ways import what_to_do
from services.payments.ledger.accounts import (
    CHARGES_TAKEN,
    STATEMENT_CHARGED,
    STATEMENT_RECEIVED,
    STATEMENT_RELEASED,
    STATEMENT_SUSPENDED,
    Posting,
)
from services.payments.ledger.repository import is_overdraft, post
from services.payments.providers.repository import charges_payable_minor, lock_charges_payable
from services.payments.reconciliation.kinds import FITS, DifferenceKind, Outcome
from services.payments.statements import AnyRow
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf

MISSING = "There is no such difference. GET /v1/differences lists them."

_WORDS: dict[Outcome, str] = {
    Outcome.RELEASED: "Record {amount} as being at {provider} after all, and free to be sent",
    Outcome.CHARGED: "Record {amount} as charged or lost by {provider}",
    Outcome.RECEIVED: "Record {amount} as given by {provider}, and free to be sent",
    Outcome.ACCEPTED: "Accept without a posting what differs at {provider}",
}


def difference_step(waits: timedelta) -> Step:
    """Ending a difference, as a kind of step that needs two persons."""
    return Step(kind=ApprovalKind.DIFFERENCE, waits=waits, carry_out=_carry_out)


async def list_page(
    session: AsyncSession, page: Page, by: Filter, *, clock: Clock
) -> PageOf[DifferenceOut]:
    """A page of differences, the oldest first."""
    rows = await repository.list_differences(
        session, by, after=page.after(int), limit=page.fetch_limit
    )
    now = clock.now()
    return page.of([shown(row, now=now) for row in rows], key=lambda found: (found.number,))


async def get(session: AsyncSession, number: int, *, clock: Clock) -> DifferenceOut:
    """A difference; raises NotFound."""
    return shown(await _row_of(session, number), now=clock.now())


async def assign(
    session: AsyncSession, number: int, *, to: str, caller: Caller, clock: Clock
) -> DifferenceOut:
    """Say who looks into a difference; raises NotFound, Conflict where it has its end."""
    before = await _row_of(session, number)
    if not await repository.assign(session, number, to=to, by=caller.subject, at=clock.now()):
        raise Conflict(f"It has its end already: {before.closure}. Nobody needs to look into it.")
    await audit.record(
        session,
        f"differences/{number}",
        before={"assigned_to": before.assigned_to},
        after={"assigned_to": to},
    )
    return await get(session, number, clock=clock)


async def propose(
    session: AsyncSession,
    steps: Steps,
    number: int,
    body: DifferenceResolutionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose how a difference ends; raises NotFound, Conflict where the outcome does not fit.

    Whoever sent the statement may propose it, and does not approve it.
    """
    row = await _row_of(session, number)
    _require_open(row)
    if row.kind not in FITS[body.outcome]:
        fitting = " or ".join(outcome for outcome, kinds in FITS.items() if row.kind in kinds)
        raise Conflict(
            f"The outcome {body.outcome} is not for a difference {row.kind}. Choose {fitting}."
        )
    amount_minor = row.statement_minor if body.outcome is not Outcome.ACCEPTED else None
    amount = "" if amount_minor is None else readable(amount_minor, row.currency)
    what = _WORDS[body.outcome].format(amount=amount, provider=row.provider)
    if owed_minor := _owed_of(
        body.outcome, row, payable_minor=await charges_payable_minor(session, row.provider)
    ):
        owed = readable(owed_minor, row.currency)
        what += f"; {owed} of it as taken of the charges that our books owe it already"
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.DIFFERENCE,
        {"number": number, "outcome": body.outcome.value},
        Effect(
            what=f"{what}: difference {number}, {row.kind}, on the statement of {row.day}.",
            amount_minor=amount_minor,
            currency=None if amount_minor is None else row.currency,
            evidence_by=[row.uploaded_by],
        ),
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


async def _carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    number = int(proposal.document["number"])
    row = await repository.lock_difference(session, number)
    assert row is not None  # it was there when this was proposed, and differences stay
    _require_open(row)
    outcome = Outcome(proposal.document["outcome"])
    if DifferenceKind(row.kind) not in FITS[outcome]:
        raise Conflict(
            f"It is {row.kind} by now, which {outcome} is not for. Propose it again by what it is."
        )
    at = clock.now()
    owed_minor = _owed_of(
        outcome, row, payable_minor=await lock_charges_payable(session, row.provider)
    )
    for posting, amount_minor in _postings(outcome, row, owed_minor=owed_minor):
        if amount_minor:
            await _post(session, posting, row, amount_minor, proposal=proposal, at=at)
    await repository.resolve(
        session,
        number,
        reason=proposal.reason or "",
        approval_id=proposal.id,
        at=at,
    )
    return f"/v1/differences/{number}"


def _owed_of(outcome: Outcome, row: AnyRow, *, payable_minor: int) -> int:
    """How much of what is booked as charged is booked already, with the payments it is for.

    What was paid again is no charge, however much is owed.
    """
    is_a_charge = row.kind == DifferenceKind.UNKNOWN_PAYMENT and outcome is Outcome.CHARGED
    return min(max(payable_minor, 0), row.statement_minor) if is_a_charge else 0


def _postings(outcome: Outcome, row: AnyRow, *, owed_minor: int) -> list[tuple[Posting, int]]:
    """What an outcome books, and how much of it.

    What the float did not cover so far goes through SUSPENSE as well. ``owed_minor`` goes back to
    the float and is taken from there, as charges are that the provider takes by itself.
    """
    whole_minor = row.statement_minor
    match outcome:
        case Outcome.RELEASED:
            return [(STATEMENT_RELEASED, whole_minor)] if row.suspense_minor else []
        case Outcome.CHARGED:
            return [
                *([] if row.suspense_minor else [(STATEMENT_SUSPENDED, whole_minor)]),
                (STATEMENT_RELEASED, owed_minor),
                (CHARGES_TAKEN, owed_minor),
                (STATEMENT_CHARGED, whole_minor - owed_minor),
            ]
        case Outcome.RECEIVED:
            return [(STATEMENT_RECEIVED, whole_minor)]
        case Outcome.ACCEPTED:
            return []


async def _post(
    session: AsyncSession,
    posting: Posting,
    row: AnyRow,
    amount_minor: int,
    *,
    proposal: Approval,
    at: datetime,
) -> None:
    try:
        await post(
            session,
            posting,
            debit_scope=row.provider,
            credit_scope=row.provider,
            amount_minor=amount_minor,
            currency=row.currency,
            posted_at=at,
            reason=proposal.reason,
            posted_by=proposal.proposed_by,
            approval_id=proposal.id,
        )
    except IntegrityError as error:
        if not is_overdraft(error):
            raise
        raise Conflict(
            f"The float at {row.provider} does not cover it: top it up with "
            "POST /v1/providers/{provider_code}/prefundings, and approve this again."
        ) from None


def shown(row: AnyRow, *, now: datetime) -> DifferenceOut:
    """A difference with its age, and what is to be done about it."""
    age = (row.closed_at or now) - row.found_at
    return DifferenceOut(
        **row._mapping,
        instruction_id=row.payment_id,
        age_seconds=int(age.total_seconds()),
        what_to_do=what_to_do(DifferenceKind(row.kind)) if row.closed_at is None else "Nothing.",
    )


async def _row_of(session: AsyncSession, number: int) -> AnyRow:
    row = await repository.find_difference(session, number)
    if row is None:
        raise NotFound(MISSING)
    return row


def _require_open(row: AnyRow) -> None:
    if row.closed_at is not None:
        raise Conflict(
            f"It has its end already: {row.closure}. GET /v1/differences/{row.number} says why."
        )
