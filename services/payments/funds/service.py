"""Opening funds, bounding them and paying into them by two persons, and reading their balances."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.approvals.tables import ApprovalKind
from services.payments.funds import repository
from services.payments.funds.repository import Bounds
from services.payments.funds.schemas import BoundsIn, DepositIn, FundBoundsIn, FundIn, FundOut
from services.payments.ledger.accounts import BUDGET_AUTHORISED, FUND_RECEIVED, AccountScope
from services.payments.ledger.repository import open_accounts, post
from shared.approvals import Approval, ApprovalOut, Effect, Step, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import FundBounded
from shared.errors import Conflict, NotFound
from shared.events import publish


def fund_steps(waits: timedelta) -> list[Step]:
    """What needs two persons about funds, each with what carries it out."""
    return [
        Step(kind=ApprovalKind.FUND, waits=waits, carry_out=_open),
        Step(kind=ApprovalKind.FUND_BOUNDS, waits=waits, carry_out=_bound),
        Step(kind=ApprovalKind.DEPOSIT, waits=waits, carry_out=_pay_in),
    ]


async def propose_fund(
    session: AsyncSession, steps: Steps, fund: FundIn, *, caller: Caller, clock: Clock
) -> ApprovalOut:
    """Propose to open a fund; raises Conflict where the code is taken."""
    if await repository.find_fund(session, fund.code) is not None:
        raise _taken(fund.code)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.FUND,
        fund.model_dump(mode="json"),
        Effect(what=f"Open fund {fund.code} in {fund.currency}. {_limits(fund, fund.currency)}"),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def propose_bounds(
    session: AsyncSession,
    steps: Steps,
    code: str,
    given: FundBoundsIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose other bounds for a fund; raises NotFound."""
    fund = await get_fund(session, code)
    bounds = given.model_dump(mode="json", exclude={"reason"})
    before = {name: getattr(fund, name) for name in bounds}
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.FUND_BOUNDS,
        {"fund": code, "bounds": bounds, "before": before},
        Effect(
            what=f"Change what fund {code} pays without further ado. "
            f"{_limits(given, fund.currency)} {_limits_before(fund)}"
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def propose_deposit(
    session: AsyncSession,
    steps: Steps,
    code: str,
    given: DepositIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to record money that arrived; raises NotFound."""
    fund = await get_fund(session, code)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.DEPOSIT,
        {"fund": code, **given.model_dump(mode="json")},
        Effect(
            what=f"Record {readable(given.amount_minor, fund.currency)} as arrived for fund "
            f"{code}: {given.reference}",
            amount_minor=given.amount_minor,
            currency=fund.currency,
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


async def get_fund(session: AsyncSession, code: str, *, at: datetime | None = None) -> FundOut:
    """A fund with its balances, now or at a past moment; raises NotFound."""
    row = await repository.find_fund(session, code, at=at)
    if row is None:
        raise NotFound(f"There is no fund {code}. GET /v1/funds lists them.")
    if at is not None and at < row.created_at:
        raise NotFound(f"Fund {code} was opened later, at {row.created_at.isoformat()}.")
    return FundOut.model_validate(row._asdict())


async def _open(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    fund = FundIn.model_validate(proposal.document)
    created = await repository.insert_fund(session, **fund.model_dump(), at=clock.now())
    if not created:
        raise _taken(fund.code)
    await open_accounts(
        session, kept_for=AccountScope.FUND, scope=fund.code, currency=fund.currency
    )
    await open_accounts(
        session, kept_for=AccountScope.CURRENCY, scope=fund.currency, currency=fund.currency
    )
    await _tell(session, fund.code, fund.currency, fund, clock=clock)
    return f"/v1/funds/{fund.code}"


async def _bound(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    code = str(proposal.document["fund"])
    bounds = BoundsIn.model_validate(proposal.document["bounds"])
    known = await repository.lock_bounds(session, code)
    assert known is not None  # it was there when this was proposed, and funds stay
    if known != Bounds(currency=known.currency, **proposal.document["before"]):
        raise Conflict(
            f"The bounds of fund {code} were changed after this was proposed. Read them with "
            f"GET /v1/funds/{code}, and propose it again."
        )
    await repository.set_bounds(session, code, **bounds.model_dump())
    await _tell(session, code, known.currency, bounds, clock=clock)
    return f"/v1/funds/{code}"


async def _pay_in(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Cash in the treasury, budget in the fund."""
    code = str(proposal.document["fund"])
    fund = await get_fund(session, code)
    for posting, debit_scope in ((FUND_RECEIVED, fund.currency), (BUDGET_AUTHORISED, fund.code)):
        await post(
            session,
            posting,
            debit_scope=debit_scope,
            credit_scope=fund.code,
            amount_minor=int(proposal.document["amount_minor"]),
            currency=fund.currency,
            posted_at=clock.now(),
            reason=str(proposal.document["reference"]),
            posted_by=proposal.proposed_by,
            approval_id=proposal.id,
        )
    return f"/v1/funds/{code}"


async def _tell(
    session: AsyncSession, code: str, currency: str, bounds: BoundsIn, *, clock: Clock
) -> None:
    bounded = FundBounded(
        fund=code,
        currency=currency,
        maximum_payment_minor=bounds.maximum_payment_minor,
        maximum_round_minor=bounds.maximum_round_minor,
    )
    await publish(session, bounded, clock=clock)


def _limits(bounds: BoundsIn, currency: str) -> str:
    return (
        f"One household gets {readable(bounds.maximum_payment_minor, currency)} at most, one time; "
        f"a round above {readable(bounds.maximum_round_minor, currency)} waits for two persons."
    )


def _limits_before(fund: FundOut) -> str:
    if fund.maximum_payment_minor is None or fund.maximum_round_minor is None:
        return "Until now every round of it waits for two persons."
    return (
        f"Until now that is {readable(fund.maximum_payment_minor, fund.currency)}, and "
        f"{readable(fund.maximum_round_minor, fund.currency)}."
    )


def _taken(code: str) -> Conflict:
    return Conflict(f"There is a fund {code} already: choose another code, or pay into it.")
