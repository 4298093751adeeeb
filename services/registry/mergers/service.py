"""Deciding about two households that may be one, and having them merged with the decision."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.acts.schemas import MergerIn
from services.registry.acts.service import Act, Acts
from services.registry.areas import repository as areas
from services.registry.duplicates import repository
from services.registry.duplicates.schemas import DecisionIn, DuplicateWithDecisionsOut
from services.registry.duplicates.service import Duplicates, decided_already, merger_of
from services.registry.duplicates.states import Decision
from services.registry.duplicates.tables import DuplicateSuspect
from services.registry.households.persons import PersonalData
from shared.approvals import ApprovalOut, ApprovalStatus, Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, Unprocessable


class Mergers:
    """Decisions about suspicions as one caller may take them."""

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
        self._duplicates = Duplicates(
            session, personal_data=personal_data, caller=caller, clock=clock
        )
        self._acts = Acts(session, steps, personal_data=personal_data, caller=caller, clock=clock)
        self._clock = clock

    async def decide(self, suspect_id: UUID, given: DecisionIn) -> DuplicateWithDecisionsOut:
        """Decide, and propose the merger where it is said which household stays. Twice is once.

        Raises NotFound, Conflict where it was decided, or the two cannot be merged as they are, and
        Unprocessable.
        """
        if given.stays_id is None:
            return await self._duplicates.decide(suspect_id, given)
        # As a merger does: the fences first, then the suspicion.
        await areas.have_fence(self._session)
        await repository.have_fence(self._session)
        suspect = await self._duplicates.hold(suspect_id)
        merged_id = _other_of(suspect, given.stays_id)
        if suspect.decision is not None:
            if suspect.decision is not Decision.MERGE:
                raise decided_already(suspect)
            if await self._waits(suspect, given):
                return await self._duplicates.whole(suspect)
        merger = await self._acts.ask(
            Act.MERGER,
            given.stays_id,
            MergerIn(merged_id=merged_id, reason=given.reason),
            held=None,
        )
        assert isinstance(merger, ApprovalOut), "a merger takes two persons"
        return await self._duplicates.keep(
            suspect, Decision.MERGE, given.reason, merger_id=merger.id
        )

    async def _waits(self, suspect: DuplicateSuspect, given: DecisionIn) -> bool:
        """Whether this very merger waits; raises Conflict where another does."""
        if suspect.merger_id is None:
            return False
        (proposal,) = (await repository.mergers_of(self._session, [suspect.merger_id])).values()
        merger = merger_of(proposal, now=self._clock.now())
        if merger.status is not ApprovalStatus.WAITING:
            return False
        if merger.stays_id == given.stays_id and self._duplicates.says_the_same(suspect, given):
            return True
        raise Conflict(
            f"A merger of the two waits for a second person already: {merger.approval_id}. To "
            f"decide otherwise, undo that first: PUT /v1/duplicates/{suspect.id}/undoing."
        )


def _other_of(suspect: DuplicateSuspect, stays_id: UUID) -> UUID:
    both = (suspect.first_household_id, suspect.second_household_id)
    if stays_id not in both:
        raise Unprocessable(
            "stays_id: the suspicion is not about this household. Name `first.household_id` or "
            "`second.household_id`."
        )
    return both[1] if stays_id == both[0] else both[0]
