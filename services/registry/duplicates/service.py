"""Showing suspected duplicates side by side, and deciding about them."""

from collections.abc import Mapping, Sequence
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
    MergerOut,
    SideOut,
    SidePersonOut,
)
from services.registry.duplicates.settling import repository as settling
from services.registry.duplicates.states import WORDS, Decision, Ground, Standing, Step
from services.registry.duplicates.tables import DuplicateSuspect
from services.registry.households.persons import PersonalData
from services.registry.households.repository import find_household
from services.registry.households.shape import MEMBERS
from services.registry.households.tables import Household
from services.registry.members.repository import find_member
from services.registry.members.shape import SEALED, Relationship
from services.registry.scopes import READ_PERSONAL
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.ids import new_id
from shared.pagination import Int2, Page, PageOf
from shared.version import API_PREFIX

_LONGEST_REASON = 500


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
            bound=self._caller.areas,
            after=page.after(Int2, UUID),
            limit=page.fetch_limit,
        )
        cut = page.of(found, key=lambda suspect: (suspect.score, suspect.id))
        mergers = await self._mergers_of(cut.items)
        await self._learn(cut.items)
        return PageOf(
            items=[await self._shown(suspect, mergers) for suspect in cut.items],
            next_cursor=cut.next_cursor,
        )

    async def get(self, suspect_id: UUID) -> DuplicateWithDecisionsOut:
        """One of them, with its decisions; raises NotFound."""
        return await self.whole(await self._find(suspect_id))

    async def decide(self, suspect_id: UUID, given: DecisionIn) -> DuplicateWithDecisionsOut:
        """Decide what nobody has decided; raises NotFound, Conflict. Twice is once."""
        suspect = await self.hold(suspect_id)
        if suspect.decision is None:
            return await self.keep(suspect, given.decision, given.reason)
        if self.says_the_same(suspect, given):
            return await self.whole(suspect)
        raise decided_already(suspect)

    async def undo(
        self, steps: Steps, suspect_id: UUID, *, reason: str
    ) -> DuplicateWithDecisionsOut:
        """Have it be undecided again, and close a merger that waits.

        Raises NotFound, Conflict where nobody decided it, and Unprocessable for what an undoing
        does not lead back from.
        """
        # As whoever approves the merger does: the proposal first, then the fence, then the
        # suspicion.
        merger_id = (await self._find(suspect_id)).merger_id
        merger = (
            None
            if merger_id is None
            else await approvals.find_locked(self._session, steps, merger_id)
        )
        # It begins to hold: whoever makes entitlements at this moment is waited for.
        await repository.have_fence(self._session)
        suspect = await self._find(suspect_id, lock=True)
        _require_its_own(suspect)
        if suspect.settled_at is not None:
            raise Unprocessable(
                f"The two are one household since {suspect.settled_at.date()}: their members and "
                "what they were owed are together, and an undoing takes nobody apart. If they are "
                "two, split the one that stayed, with a registration number for the other: POST "
                "/v1/households/{household_id}/split. This suspicion stays as it is."
            )
        if suspect.decision is None:
            raise Conflict("Nobody has decided it: there is nothing to undo.")
        if suspect.merger_id != merger_id:
            raise Conflict("A merger of the two was asked for at this moment. Try again.")
        if merger is not None:
            await approvals.supersede(
                self._session,
                steps,
                merger,
                by=self._caller.subject,
                reason=f"The decision to merge was undone: {reason}"[:_LONGEST_REASON],
                clock=self._clock,
            )
        return await self.keep(suspect, None, reason)

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

    async def hold(self, suspect_id: UUID) -> DuplicateSuspect:
        """One about which somebody decides, locked; raises NotFound, and Conflict where nobody
        can."""
        suspect = await self._find(suspect_id, lock=True)
        _require_its_own(suspect)
        if suspect.settled_at is not None:
            raise Conflict(
                f"The two are one household since {suspect.settled_at.date()}: there is nothing "
                "left to decide. GET /v1/households/{household_id}/history says who merged them."
            )
        return suspect

    def says_the_same(self, suspect: DuplicateSuspect, given: DecisionIn) -> bool:
        """Whether the caller decided so in the same words before: sent again, it is done once."""
        return (suspect.decision, suspect.reason, suspect.decided_by) == (
            given.decision,
            given.reason,
            self._caller.subject,
        )

    async def keep(
        self,
        suspect: DuplicateSuspect,
        decision: Decision | None,
        reason: str,
        *,
        merger_id: UUID | None = None,
    ) -> DuplicateWithDecisionsOut:
        """Keep a decision about a suspicion that is held, or its undoing."""
        before = suspect.decision
        now = self._clock.now()
        by = self._caller.subject
        await repository.decide(
            self._session,
            suspect.id,
            decision,
            reason=reason,
            by=by,
            at=now,
            merger_id=merger_id,
        )
        await repository.add_step(
            self._session,
            id=new_id(),
            suspect_id=suspect.id,
            step=Step.UNDO if decision is None else Step(decision.value),
            reason=reason,
            decided_by=by,
            decided_at=now,
            approval_id=merger_id,
        )
        await audit.record(
            self._session,
            f"duplicates/{suspect.id}",
            before={"decision": before},
            after={"decision": decision}
            | ({} if merger_id is None else {"merger_id": str(merger_id)}),
        )
        await self._session.refresh(suspect)
        return await self.whole(suspect)

    async def whole(self, suspect: DuplicateSuspect) -> DuplicateWithDecisionsOut:
        """It, with what was decided of it."""
        await self._learn([suspect])
        shown = await self._shown(suspect, await self._mergers_of([suspect]))
        decisions = await repository.decisions_of(self._session, suspect.id)
        return DuplicateWithDecisionsOut(
            **shown.model_dump(),
            decisions=[DecisionOut.model_validate(decision) for decision in decisions],
        )

    async def _find(self, suspect_id: UUID, *, lock: bool = False) -> DuplicateSuspect:
        suspect = await repository.find_suspect(
            self._session, suspect_id, bound=self._caller.areas, lock=lock
        )
        if suspect is None:
            raise NotFound("There is no such suspicion. GET /v1/duplicates lists them.")
        return suspect

    async def _learn(self, suspects: Sequence[DuplicateSuspect]) -> None:
        if self._shows_persons:
            await self._personal_data.learn(
                self._session,
                {
                    id
                    for suspect in suspects
                    for id in (suspect.first_household_id, suspect.second_household_id)
                },
            )

    async def _mergers_of(self, suspects: Sequence[DuplicateSuspect]) -> Mapping[UUID, Approval]:
        ids = {suspect.merger_id for suspect in suspects if suspect.merger_id is not None}
        return await repository.mergers_of(self._session, ids) if ids else {}

    async def _shown(
        self, suspect: DuplicateSuspect, mergers: Mapping[UUID, Approval]
    ) -> DuplicateOut:
        return DuplicateOut(
            id=suspect.id,
            score=suspect.score,
            standing=_standing(suspect),
            holds=suspect.holds,
            grounds=_in_words([*suspect.exact_grounds, *suspect.likeness_grounds]),
            found_at=suspect.found_at,
            first=await self._side(suspect.first_household_id, suspect.first_member_id),
            second=await self._side(suspect.second_household_id, suspect.second_member_id),
            decided_by=suspect.decided_by,
            decided_at=suspect.decided_at,
            reason=suspect.reason,
            merger=None
            if suspect.merger_id is None
            else merger_of(mergers[suspect.merger_id], now=self._clock.now()),
            settled_at=suspect.settled_at,
            passed_to=suspect.passed_to,
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
            archived_at=household.archived_at,
            merged_into=household.merged_into,
            person=await self._person(household, member_id) if self._shows_persons else None,
        )

    async def _person(self, household: Household, member_id: UUID | None) -> SidePersonOut:
        head = self._personal_data.open_person(household.person_sealed, household_id=household.id)
        if member_id is None:
            person = head
            fields = {"birth_date": None, "sex": None, "relationship": Relationship.HEAD}
        else:
            member = await find_member(self._session, household.id, member_id)
            assert member is not None, "members are never deleted"
            person = self._personal_data.open_sealed(
                member.person_sealed, SEALED, bound_to=member_id, household_id=household.id
            )
            fields = {name: getattr(member, name) for name in ("birth_date", "sex", "relationship")}
        return SidePersonOut.model_validate(
            {
                **fields,
                **{name: person[name] for name in ("name", "phone", "id_number")},
                "registration_number": head["registration_number"],
            }
        )


def decided_already(suspect: DuplicateSuspect) -> Conflict:
    """What whoever decides otherwise is told."""
    return Conflict(
        f"It was decided already: {suspect.decision}. To decide otherwise, undo that first: PUT "
        f"/v1/duplicates/{suspect.id}/undoing."
    )


def merger_of(proposal: Approval, *, now: datetime) -> MergerOut:
    """A proposal to merge two households, as a suspicion shows it."""
    return MergerOut(
        approval_id=proposal.id,
        status=approvals.status_of(proposal, now=now),
        stays_id=proposal.document["household_id"],
        merged_id=proposal.document["given"]["merged_id"],
        proposed_by=proposal.proposed_by,
        expires_at=proposal.expires_at,
    )


def _standing(suspect: DuplicateSuspect) -> Standing:
    if suspect.settled_at is not None:
        return Standing.MERGED
    return Standing.UNDECIDED if suspect.decision is None else Standing(suspect.decision.value)


def _require_its_own(suspect: DuplicateSuspect) -> None:
    if suspect.passed_to is not None:
        raise Conflict(
            "One of the two is part of a third household since. Decide about that one and the "
            f"other: GET /v1/duplicates/{suspect.passed_to}."
        )


def _in_words(grounds: Sequence[str]) -> list[GroundOut]:
    known = [Ground(ground) for ground in dict.fromkeys(grounds)]
    return [
        GroundOut(ground=ground, english=WORDS[ground][0], khmer=WORDS[ground][1])
        for ground in known
    ]


async def turned_down(session: AsyncSession, proposal: Approval, clock: Clock) -> None:
    """Have a suspicion wait again whose merger was declined, or withdrawn."""
    if not await repository.is_merger(session, proposal.id):
        return
    assert proposal.decided_by is not None
    await repository.have_fence(session)
    await settling.reopen(
        session,
        proposal.id,
        reason=proposal.decision_reason or "",
        by=proposal.decided_by,
        at=clock.now(),
    )


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Decide what two persons wanted decided, of what was there when it was proposed."""
    await repository.have_fence(session)
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
