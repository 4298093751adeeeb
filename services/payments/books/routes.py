"""The books as accountants read them."""

from fastapi import APIRouter

from services.payments.books import service
from services.payments.books.schemas import TrialBalanceOut
from services.payments.moments import Moment
from services.payments.scopes import FundsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(tags=["books"])


@router.get(
    "/trial-balance", summary="Get a trial balance", responses=problem_responses(401, 403, 422)
)
async def get_trial_balance(
    _: FundsRead, session: Session, clock: ClockDependency, at: Moment
) -> TrialBalanceOut:
    """The balance of every account now or at a past moment, in its debit or credit column: in each
    book and currency both columns come to the same."""
    return await service.trial_balance(session, at=at, clock=clock)
