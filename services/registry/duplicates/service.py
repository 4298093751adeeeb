"""Showing suspected duplicates side by side, and deciding about them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.approvals.tables import ApprovalKind
from services.registry.areas.tables import COUNTRY_CODE
from services.registry.duplicates import repository
from services.registry.duplicates.schemas import (
    BulkDecisionIn,
    DecisionIn,
    DecisionOut,
    DuplicateOut,
    DuplicateWithDecisionsOut,
    GroundOut,
    SideOut,
    SidePersonOut,
)
from services.registry.duplicates.states import WORDS, Decision, Ground, Standing, Step
from services.registry.duplicates.tables import DuplicateSuspect
from services.registry.households.persons import PersonalData
from services.registry.households.repository import find_household
from services.registry.households.shape import MEMBERS
from services.registry.members.repository import find_member
from services.registry.members.shape import SEALED, Relationship
from services.registry.scopes import READ_PERSONAL
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Int2, Page, PageOf
from shared.version import API_PREFIX


class Duplicates:
    """Suspicions as one caller may see and decide them."""

    def __init__(
        self, session: AsyncSession, *, personal_data: PersonalData, caller: Caller, clock: Clock
    ) -> None:
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = READ_PERSONAL in caller.scopes
        self._caller = caller
        self._clock = clock

    async def page(
        self,
        *,
        standing: Standing | None,
        ground: Ground | None,
        area: str | None,
        household_id: UUID | None,
        least_score: int,
        page: Page,
    ) -> PageOf[DuplicateOut]:
        """A page of suspicions, the highest score first."""
        found = await repository.list_suspects(
            self._session,
            standing=standing,
            ground=ground,
            area_prefix="" if area in (None, COUNTRY_CODE) else str(area),
            household_id=household_id,
            least_score=least_score,
            after=page.after(Int2, UUID),
            limit=page.fetch_limit,
        )
        cut = page.of(found, key=lambda suspect: (suspect.score, suspect.id))
        return PageOf(
            items=[await self._shown(suspect) for suspect in cut.items],
            next_cursor=cut.next_cursor,
        )

    async def get(self, suspect_id: UUID) -> DuplicateWithDecisionsOut:
        """One of them, with its decisions; raises NotFound."""
        return await self._whole(await self._find(suspect_id))

    async def decide(self, suspect_id: UUID, given: DecisionIn) -> DuplicateWithDecisionsOut:
        """Decide what nobody has decided; raises NotFound, Conflict."""
        suspect = await self._find(suspect_id, lock=True)
        if suspect.decision is not None:
            raise Conflict(
                f"It was decided already: {suspect.decision}. To decide otherwise, undo that "
                f"first: PUT /v1/duplicates/{suspect_id}/undoing."
            )
        return await self._keep(suspect, given.decision, Step(given.decision.value), given.reason)

    async def undo(self, suspect_id: UUID, *, reason: str) -> DuplicateWithDecisionsOut:
        """Have it be undecided again; raises NotFound, Conflict."""
        # It begins to hold: whoever makes entitlements at this moment is waited for.
        await repository.have_fence(self._session)
        suspect = await self._find(suspect_id, lock=True)
        if suspect.decision is None:
            raise Conflict("Nobody has decided it: there is nothing to undo.")
        return await self._keep(suspect, None, Step.UNDO, reason)

    async def propose_many(self, steps: Steps, given: BulkDecisionIn) -> ApprovalOut:
        """Propose one decision for all between two scores; raises Conflict where there is none."""
        now = self._clock.now()
        (count,) = await repository.count_undecided(
            self._session, least=given.least_score, most=given.most_score
        )
        if not count:
            raise Conflict("Between these scores nothing waits for a decision.")
        return await approvals.propose(
            self._session,
            steps,
            ApprovalKind.DUPLICATES,
            {**given.model_dump(mode="json"), "found_before": now.isoformat()},
            Effect(
                what=f"Decide '{given.decision}' of {count:,} suspected duplicates with scores "
                f"from {given.least_score} to {given.most_score}, as far as nobody decides them "
                "before.",
                households=count,
            ),
            reason=given.reason,
            caller=self._caller,
            clock=self._clock,
        )

    async def _find(self, suspect_id: UUID, *, lock: bool = False) -> DuplicateSuspect:
        suspect = await repository.find_suspect(self._session, suspect_id, lock=lock)
        if suspect is None:
            raise NotFound("There is no such suspicion. GET /v1/duplicates lists them.")
        return suspect

    async def _keep(
        self, suspect: DuplicateSuspect, decision: Decision | None, step: Step, reason: str
    ) -> DuplicateWithDecisionsOut:
        before = suspect.decision
        now = self._clock.now()
        by = self._caller.subject
        await repository.decide(self._session, suspect.id, decision, reason=reason, by=by, at=now)
        await repository.add_step(
            self._session,
            id=new_id(),
            suspect_id=suspect.id,
            step=step,
            reason=reason,
            decided_by=by,
            decided_at=now,
            approval_id=None,
        )
        await audit.record(
            self._session,
            f"duplicates/{suspect.id}",
            before={"decision": before},
            after={"decision": decision},
        )
        await self._session.refresh(suspect)
        return await self._whole(suspect)

    async def _whole(self, suspect: DuplicateSuspect) -> DuplicateWithDecisionsOut:
        shown = await self._shown(suspect)
        decisions = await repository.decisions_of(self._session, suspect.id)
        return DuplicateWithDecisionsOut(
            **shown.model_dump(),
            decisions=[DecisionOut.model_validate(decision) for decision in decisions],
        )

    async def _shown(self, suspect: DuplicateSuspect) -> DuplicateOut:
        standing = Standing.UNDECIDED if suspect.decision is None else suspect.decision.value
        return DuplicateOut(
            id=suspect.id,
            score=suspect.score,
            standing=Standing(standing),
            holds=suspect.holds,
            grounds=_in_words([*suspect.exact_grounds, *suspect.likeness_grounds]),
            found_at=suspect.found_at,
            first=await self._side(suspect.first_household_id, suspect.first_member_id),
            second=await self._side(suspect.second_household_id, suspect.second_member_id),
            decided_by=suspect.decided_by,
            decided_at=suspect.decided_at,
            reason=suspect.reason,
        )

    async def _side(self, household_id: UUID, member_id: UUID | None) -> SideOut:
        found = await find_household(self._session, household_id, bound=None)
        assert found is not None, "households are never deleted"
        household, account = found
        return SideOut(
            household_id=household_id,
            member_id=member_id,
            area_code=household.area_code,
            village_code=household.village_code,
            members=getattr(household, MEMBERS.name),
            changed_at=household.changed_at,
            has_account=account is not None,
            person=await self._person(household_id, member_id) if self._shows_persons else None,
        )

    async def _person(self, household_id: UUID, member_id: UUID | None) -> SidePersonOut:
        if member_id is None:
            found = await find_household(self._session, household_id, bound=None)
            assert found is not None
            person = self._personal_data.open_person(
                found[0].person_sealed, household_id=household_id
            )
            fields = {"birth_date": None, "sex": None, "relationship": Relationship.HEAD}
        else:
            member = await find_member(self._session, household_id, member_id)
            assert member is not None, "members are never deleted"
            person = self._personal_data.open_sealed(
                member.person_sealed, SEALED, bound_to=member_id, household_id=household_id
            )
            fields = {name: getattr(member, name) for name in ("birth_date", "sex", "relationship")}
        return SidePersonOut.model_validate(
            {**fields, **{name: person[name] for name in ("name", "phone", "id_number")}}
        )


def _in_words(grounds: Sequence[str]) -> list[GroundOut]:
    known = [Ground(ground) for ground in dict.fromkeys(grounds)]
    return [
        GroundOut(ground=ground, english=WORDS[ground][0], khmer=WORDS[ground][1])
        for ground in known
    ]


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Decide what two persons wanted decided, of what was there when it was proposed."""
    document = proposal.document
    await repository.decide_many(
        session,
        decision=document["decision"],
        reason=document["reason"],
        least=document["least_score"],
        most=document["most_score"],
        found_before=datetime.fromisoformat(document["found_before"]),
        by=proposal.proposed_by,
        now=clock.now(),
        approval_id=proposal.id,
    )
    return f"{API_PREFIX}/duplicates"
