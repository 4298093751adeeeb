"""Acts on households over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.registry.acts.schemas import (
    ArchiveIn,
    DeathIn,
    DepartureIn,
    ErasureIn,
    HouseholdCorrectionIn,
    MergerIn,
    MoveIn,
    RestoreIn,
    SplitIn,
)
from services.registry.acts.service import Act, DoneOut
from services.registry.acts.within import ActsWithin
from services.registry.changes.schemas import HeldTag
from services.registry.households.persons import PersonalDataDependency
from services.registry.scopes import HouseholdsWrite, PersonsRead
from shared.approvals.proposing import MAY_WAIT, Proposing, answered
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed

router = APIRouter(prefix="/households", tags=["households"])

_ALONE = problem_responses(400, 401, 403, 404, 409, 412, 422)
_ANSWERS = {**MAY_WAIT, **_ALONE}


async def _acts(
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
) -> ActsWithin:
    return ActsWithin(session, steps, personal_data=personal_data, caller=caller, clock=clock)


_Acts = Annotated[ActsWithin, Depends(_acts)]


@router.patch(
    "/{household_id}",
    response_model=DoneOut,
    summary="Correct what is known of a household",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def correct_household(
    household_id: UUID,
    given: HouseholdCorrectionIn,
    _: HouseholdsWrite,
    __: PersonsRead,
    acts: _Acts,
    held: HeldTag = None,
) -> Response:
    """What is left out stays. Of a household that is enrolled in an activation that can still pay
    it is a proposal. Where members are listed, they are corrected, and the counts follow."""
    return answered(await acts.ask(Act.CORRECTION, household_id, given, held=held))


@router.post(
    "/{household_id}/move",
    response_model=DoneOut,
    summary="Move a household to another place",
    responses=_ALONE,
    openapi_extra=narrowed(),
)
async def move_household(
    household_id: UUID,
    given: MoveIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """What is enrolled from then on finds it there; what it was enrolled in stays."""
    return await proposing.reply(given, lambda: acts.ask(Act.MOVE, household_id, given, held=held))


@router.post(
    "/{household_id}/archive",
    response_model=DoneOut,
    summary="Archive a household",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def archive_household(
    household_id: UUID,
    given: ArchiveIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """It is enrolled in nothing any more and gets no later round; what it was owed stays explained.
    A proposal where it is enrolled in an activation that can still pay. Nothing is deleted."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.ARCHIVAL, household_id, given, held=held)
    )


@router.post(
    "/{household_id}/restoration",
    response_model=DoneOut,
    summary="Restore an archived household",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def restore_household(
    household_id: UUID,
    given: RestoreIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """It can be enrolled again. One that was merged into another is split from it instead."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.RESTORATION, household_id, given, held=held)
    )


@router.post(
    "/{household_id}/merger",
    response_model=DoneOut,
    summary="Merge another household into this one",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def merge_households(
    household_id: UUID,
    given: MergerIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """The members of the other are members of this one, and the other is archived and points to it.
    Always a proposal. An activation that either was enrolled in does not enrol them anew."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.MERGER, household_id, given, held=held)
    )


@router.post(
    "/{household_id}/split",
    response_model=DoneOut,
    summary="Make members a household of their own",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def split_household(
    household_id: UUID,
    given: SplitIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """The new household lives where this one does, and has no account yet. Always a proposal. An
    activation that this one was enrolled in does not enrol the new one: nobody is paid twice."""
    return await proposing.reply(given, lambda: acts.ask(Act.SPLIT, household_id, given, held=held))


@router.post(
    "/{household_id}/members/{member_id}/death",
    response_model=DoneOut,
    summary="Record that a member died",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def record_death(
    household_id: UUID,
    member_id: UUID,
    given: DeathIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """Of a head, say who is the head now. With its last member the household is archived. A
    proposal where a head died whose household is enrolled in an activation that can still pay."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.DEATH, household_id, given, held=held, member_id=member_id)
    )


@router.post(
    "/{household_id}/members/{member_id}/departure",
    response_model=DoneOut,
    summary="Record that a member left",
    responses=_ANSWERS,
    openapi_extra=narrowed(),
)
async def record_departure(
    household_id: UUID,
    member_id: UUID,
    given: DepartureIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """For good, or for another household, where they get a number of their own. A proposal where a
    head left whose household is enrolled in an activation that can still pay."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.DEPARTURE, household_id, given, held=held, member_id=member_id)
    )


@router.post(
    "/{household_id}/erasure",
    response_model=DoneOut,
    summary="Erase who a household was",
    responses=_ANSWERS,
)
async def erase_household(
    household_id: UUID,
    given: ErasureIn,
    _: HouseholdsWrite,
    acts: _Acts,
    proposing: Proposing,
    held: HeldTag = None,
) -> Response:
    """Overwrites names, numbers, days of birth and accounts, as they are and as they were. What
    was paid, and to how many, stays. Always a proposal, of an archived household that is owed
    nothing."""
    return await proposing.reply(
        given, lambda: acts.ask(Act.ERASURE, household_id, given, held=held)
    )
