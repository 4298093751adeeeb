"""Names compared over HTTP, for payments to ask."""

from fastapi import APIRouter

from services.registry.holders import service
from services.registry.households.persons import PersonalDataDependency
from services.registry.scopes import HoldersCheckers
from shared.contracts.holders import HoldersCheck, HoldersChecked
from shared.database import Session
from shared.errors import problem_responses

router = APIRouter(prefix="/checks", tags=["households"])


@router.post(
    "/account-holders",
    summary="Compare holders of accounts with households",
    responses=problem_responses(400, 401, 403, 422),
)
async def check_holders(
    body: HoldersCheck, _: HoldersCheckers, session: Session, personal_data: PersonalDataDependency
) -> HoldersChecked:
    """Says how alike the name of an account's holder is to that of the household's head, in either
    script and whatever the order of the words.

    A POST because names are in it, which belong into no URL; it changes nothing and shows no name.
    For which households it was asked is in the audit record.
    """
    return await service.check_holders(session, personal_data, body)
