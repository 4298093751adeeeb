"""Acts on households: by one person, or by two where money moves or nothing leads back.

An act is tried out before it is proposed, so that nothing is proposed that cannot be done. It is
bound to the households as they were then: where one of them has changed since, its approval is
refused, and it is asked again by what is known now.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

import orjson
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts.repository import can_still_be_paid, is_enrolled
from services.registry.acts import (
    archiving,
    burying,
    correcting,
    departing,
    erasing,
    merging,
    moving,
    repository,
    restoring,
    splitting,
)
from services.registry.acts.doing import Doing, is_head
from services.registry.acts.schemas import (
    ArchiveIn,
    DeathIn,
    DepartureIn,
    ErasureIn,
    Given,
    HouseholdCorrectionIn,
    MergerIn,
    MoveIn,
    RestoreIn,
    SplitIn,
    shown,
)
from services.registry.approvals.tables import ApprovalKind
from services.registry.areas import repository as areas
from services.registry.changes.repository import version_of
from services.registry.changes.service import require_unchanged, tag_of_version
from services.registry.duplicates import repository as duplicates
from services.registry.household_keys.repository import give_missing
from services.registry.households.persons import PersonalData
from services.registry.households.repository import lock_households
from services.registry.households.tables import Household
from services.registry.members.repository import find_member
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import HouseholdChanged
from shared.errors import Conflict, NotFound
from shared.events import publish
from shared.version import API_PREFIX


class Act(StrEnum):
    """What can be done with a household; the event ``household-changed`` tells it so."""

    CORRECTION = "correction"
    MOVE = "move"
    ARCHIVAL = "archival"
    RESTORATION = "restoration"
    MERGER = "merger"
    SPLIT = "split"
    DEATH = "death"
    DEPARTURE = "departure"
    ERASURE = "erasure"


_GIVEN: Mapping[Act, type[Given]] = {
    Act.CORRECTION: HouseholdCorrectionIn,
    Act.MOVE: MoveIn,
    Act.ARCHIVAL: ArchiveIn,
    Act.RESTORATION: RestoreIn,
    Act.MERGER: MergerIn,
    Act.SPLIT: SplitIn,
    Act.DEATH: DeathIn,
    Act.DEPARTURE: DepartureIn,
    Act.ERASURE: ErasureIn,
}
_WORDS: Mapping[Act, str] = {
    Act.CORRECTION: "Correct what is known of household {id}",
    Act.MOVE: "Have household {id} live elsewhere",
    Act.ARCHIVAL: "Archive household {id}",
    Act.RESTORATION: "Restore household {id}",
    Act.MERGER: "Merge household {other} into household {id}",
    Act.SPLIT: "Make members of household {id} a household of their own",
    Act.DEATH: "Record that a member of household {id} died, who was its head or its last member",
    Act.DEPARTURE: "Record that the head of household {id} left it",
    Act.ERASURE: "Erase for good who the members of household {id} were",
}
_ALWAYS_TWO = frozenset({Act.MERGER, Act.SPLIT, Act.ERASURE})
_TWO_WHERE_ENROLLED = frozenset({Act.CORRECTION, Act.ARCHIVAL, Act.RESTORATION})
_OF_A_MEMBER = frozenset({Act.DEATH, Act.DEPARTURE})
# Whoever changes which persons a household is of, or whether it is one, has the fence alone: no
# chunk is enrolled meanwhile by what was before.
_ALONE = _ALWAYS_TWO | {Act.ARCHIVAL, Act.RESTORATION}


class DoneOut(BaseModel):
    """What was done, without what is known of anybody."""

    household_id: UUID
    act: Act
    tag: str = Field(description="The household's `ETag` from now on.", examples=['"413"'])
    other_household_id: UUID | None = Field(
        description="The household that was made by a split, or merged, or joined by who left."
    )


class Acts:
    """Acts as one caller may ask for them."""

    def __init__(
        self,
        session: AsyncSession,
        steps: Steps,
        *,
        personal_data: PersonalData,
        caller: Caller,
        clock: Clock,
    ) -> None:
        self._session = session
        self._steps = steps
        self._personal_data = personal_data
        self._caller = caller
        self._clock = clock

    async def ask(
        self,
        act: Act,
        household_id: UUID,
        given: Given,
        *,
        held: str | None,
        member_id: UUID | None = None,
    ) -> DoneOut | ApprovalOut:
        """What was done, or the proposal to do it.

        ``held`` is the caller's ``If-Match``. Raises NotFound, PreconditionFailed, Conflict where
        the act does not fit what is there, and Unprocessable.
        """
        households = await _locked(self._session, act, household_id, given)
        await _learn(self._session, self._personal_data, households)
        require_unchanged(await version_of(self._session, household_id), held)
        versions = {str(id_): await version_of(self._session, id_) for id_ in households}
        needs_another = await self._needs_another(act, household_id, given, member_id)
        trial = await self._session.begin_nested()
        done = await _do(
            self._session,
            act,
            household_id,
            given,
            member_id,
            personal_data=self._personal_data,
            households=households,
            by=self._caller.subject,
            approval_id=None,
            clock=self._clock,
        )
        if not needs_another:
            await trial.commit()
            await audit.record(
                self._session,
                *([] if member_id is None else [f"members/{member_id}"]),
                after={"act": act, **shown(given.model_dump(mode="json", exclude_unset=True))},
            )
            return done
        await trial.rollback()
        return await self._propose(act, household_id, given, member_id, versions)

    async def _needs_another(
        self, act: Act, household_id: UUID, given: Given, member_id: UUID | None
    ) -> bool:
        if act in _ALWAYS_TWO:
            return True
        if not await is_enrolled(self._session, household_id):
            return False
        if act in _OF_A_MEMBER and member_id is not None:
            member = await find_member(self._session, household_id, member_id)
            return member is not None and is_head(member)
        return act in _TWO_WHERE_ENROLLED

    async def _propose(
        self,
        act: Act,
        household_id: UUID,
        given: Given,
        member_id: UUID | None,
        versions: Mapping[str, int],
    ) -> ApprovalOut:
        told = given.model_dump(mode="json", exclude_unset=True)
        open_ = shown(told)
        personal = {
            name: value for name, value in told.items() if name not in open_ and name != "reason"
        }
        proposal = await approvals.propose(
            self._session,
            self._steps,
            ApprovalKind.HOUSEHOLD_ACT,
            {
                "act": act,
                "household_id": str(household_id),
                "member_id": None if member_id is None else str(member_id),
                "given": open_,
                "versions": dict(versions),
            },
            Effect(
                what=_WORDS[act].format(id=household_id, other=open_.get("merged_id"))
                + "."
                + await self._what_ends(household_id, given),
                households=len(versions),
            ),
            reason=given.reason,
            caller=self._caller,
            clock=self._clock,
        )
        if personal:
            sealed = self._personal_data.seal(
                orjson.dumps(personal), bound_to=household_id.bytes, household_id=household_id
            )
            await repository.add_act(self._session, proposal.id, household_id, sealed)
        return proposal

    async def _what_ends(self, household_id: UUID, given: Given) -> str:
        """What a merger costs them, in words, for whoever decides; nothing: nothing."""
        if (
            isinstance(given, MergerIn)
            and await is_enrolled(self._session, given.merged_id)
            and not await is_enrolled(self._session, household_id)
        ):
            return (
                f" {given.merged_id} is enrolled in an activation that can still pay, and "
                f"{household_id} is in none: later rounds of it would be paid to neither. Merge "
                "them the other way round, if they are to get them."
            )
        return ""


async def carry_out(
    personal_data: PersonalData, session: AsyncSession, proposal: Approval, clock: Clock
) -> str:
    """Do with a household what two persons wanted; raises Conflict."""
    document = proposal.document
    act, household_id = Act(document["act"]), UUID(document["household_id"])
    member_id = None if document["member_id"] is None else UUID(document["member_id"])
    personal: dict[str, Any] = {}
    personal_data = personal_data.apart()
    sealed = await repository.given_of(session, proposal.id)
    if sealed is not None:
        await personal_data.learn(session, [household_id])
        opened = personal_data.open(sealed, bound_to=household_id.bytes, household_id=household_id)
        if opened is None:
            raise Conflict("Nobody knows any more who they were: nothing is done with it.")
        personal = orjson.loads(opened)
    given = _GIVEN[act].model_validate({**document["given"], **personal, "reason": proposal.reason})
    households = await _locked(session, act, household_id, given)
    personal_data = personal_data.apart()
    await _learn(session, personal_data, households)
    for id_, version in document["versions"].items():
        if await version_of(session, UUID(id_)) != version:
            raise Conflict(
                f"Household {id_} was changed since this was proposed. Decline it, and ask again "
                "if it is still right."
            )
    await _do(
        session,
        act,
        household_id,
        given,
        member_id,
        personal_data=personal_data,
        households=households,
        by=proposal.proposed_by,
        approval_id=proposal.id,
        clock=clock,
    )
    return f"{API_PREFIX}/households/{household_id}"


async def _locked(
    session: AsyncSession, act: Act, household_id: UUID, given: Given
) -> dict[UUID, Household]:
    """The households that an act is about, locked, behind the fence; raises NotFound."""
    await (areas.have_fence if act in _ALONE else areas.share_fence)(session)
    if act is Act.MERGER:
        # What was suspected of the one begins to be suspected of the other.
        await duplicates.have_fence(session)
    wanted = {household_id, _other_of(given)} - {None}
    households = await lock_households(session, [id_ for id_ in wanted if id_])
    if household_id not in households:
        raise NotFound("There is no such household. GET /v1/households lists those of an area.")
    return households


async def _learn(
    session: AsyncSession, personal_data: PersonalData, households: Mapping[UUID, Household]
) -> None:
    """What locked households are sealed with; those that have nothing of their own are given it."""
    living = [id_ for id_, household in households.items() if household.erased_at is None]
    await give_missing(session, living)
    await personal_data.learn(session, households)


def _other_of(given: Given) -> UUID | None:
    match given:
        case MergerIn():
            return given.merged_id
        case DepartureIn():
            return given.to_household_id
        case _:
            return None


async def _do(
    session: AsyncSession,
    act: Act,
    household_id: UUID,
    given: Given,
    member_id: UUID | None,
    *,
    personal_data: PersonalData,
    households: Mapping[UUID, Household],
    by: str,
    approval_id: UUID | None,
    clock: Clock,
) -> DoneOut:
    communes = {household.area_code for household in households.values()}
    doing = Doing(
        session,
        personal_data=personal_data,
        households=households,
        by=by,
        approval_id=approval_id,
        now=clock.now(),
        today=clock.today(),
    )
    household = households[household_id]
    if household.erased_at is not None and act not in (Act.RESTORATION, Act.ERASURE):
        raise Conflict("Nobody knows any more who they were: nothing is done with it.")
    other = _other_of(given)
    match given:
        case HouseholdCorrectionIn():
            await correcting.correct(doing, household, given)
        case MoveIn():
            await moving.move(doing, household, given)
            communes.add(given.area_code)
        case ArchiveIn():
            await archiving.archive(doing, household, given)
        case MergerIn():
            await merging.merge(doing, household, given)
        case SplitIn():
            other = await splitting.split(doing, household, given)
        case DeathIn():
            assert member_id is not None
            await burying.bury(doing, household, member_id, given)
        case DepartureIn():
            assert member_id is not None
            await departing.depart(doing, household, member_id, given)
        case ErasureIn():
            if await can_still_be_paid(session, household_id):
                raise Conflict(
                    "It can still be paid: by an activation with rounds to come, or what one owes "
                    "it. Erase it when that is over."
                )
            await erasing.erase(doing, household, given)
        case RestoreIn():
            await restoring.restore(doing, household, given)
        case _:
            assert_never(given)
    for told in filter(None, (household_id, other)):
        await publish(
            session,
            HouseholdChanged(household_id=told, changes=[act], areas=sorted(communes)),
            clock=clock,
        )
    return DoneOut(
        household_id=household_id,
        act=act,
        tag=tag_of_version(await version_of(session, household_id)),
        other_household_id=other,
    )
