"""What is decided for one household: enrolled late or by hand, kept out, admitted again, heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation, require_not_cancelled
from services.registry.activations.tables import Activation
from services.registry.approvals.tables import ApprovalKind
from services.registry.cases import repository
from services.registry.cases.schemas import (
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    AppealStatus,
    AppealStepOut,
    Decided,
    ExclusionIn,
    ExclusionOut,
    FurtherEnrolmentIn,
    NoteIn,
    ReadmissionIn,
    Wants,
    WordsIn,
)
from services.registry.cases.tables import Appeal, AppealStep
from services.registry.chunks.planning import plan_further
from services.registry.enrolments.statements import Further
from services.registry.enrolments.tables import HouseholdExclusion
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import get_document
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX
from shared.wording.said import Said


@dataclass(frozen=True)
class _Whom:
    """Whom a further run would enrol."""

    activation: Activation
    document: SchemeDocument
    whom: Further
    by_commune: Sequence[tuple[str, int, int]]

    @property
    def households(self) -> int:
        return sum(households for _, households, _ in self.by_commune)

    @property
    def one_round_minor(self) -> int:
        return sum(minor for _, _, minor in self.by_commune)

    @property
    def minor(self) -> int:
        """Over all rounds."""
        return self.one_round_minor * len(self.document.rounds)

    def told(self) -> str:
        count = self.households
        households = "1 household" if count == 1 else f"{count:,} households"
        return f"{households} and {self.minor:,} {self.document.currency} over all rounds"


async def propose_enrolment(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to enrol late registrants, or households by hand; raises NotFound, Conflict."""
    known_until = clock.now()
    found = await _whom(session, activation_id, given, known_until=known_until, clock=clock)
    how = {
        Further.LATE: "late registrants",
        Further.NAMED: "households that are named",
        Further.BY_HAND: "households by hand, whatever the rule says,",
    }[found.whom]
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.FURTHER_ENROLMENT,
        {
            "activation_id": str(activation_id),
            "enrolment": given.model_dump(mode="json"),
            "known_until": known_until.isoformat(),
            "by_commune": [
                {"area_code": commune, "households": households, "amount_minor": minor}
                for commune, households, minor in found.by_commune
            ],
        },
        Effect(
            what=f"Enrol {how} in activation {activation_id} ({found.activation.scheme_code}): "
            f"{found.told()}.",
            households=found.households,
            amount_minor=found.minor,
            currency=found.document.currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def carry_out_enrolment(
    session: AsyncSession, proposal: Approval, clock: Clock, *, households_per_chunk: int
) -> str:
    """Plan what two persons wanted enrolled, if it is no more than they saw."""
    activation_id = UUID(proposal.document["activation_id"])
    given = FurtherEnrolmentIn.model_validate(proposal.document["enrolment"])
    known_until = datetime.fromisoformat(proposal.document["known_until"])
    found = await _whom(session, activation_id, given, known_until=known_until, clock=clock)
    assert proposal.households is not None
    assert proposal.amount_minor is not None
    if found.households > proposal.households or found.minor > proposal.amount_minor:
        raise Conflict(
            f"It comes to {found.told()} by now, more than was proposed. Decline it, and propose "
            "it again."
        )
    await _plan(
        session,
        found,
        household_ids=given.household_ids,
        known_until=known_until,
        households_per_chunk=households_per_chunk,
        clock=clock,
        reason=given.reason,
        requested_by=proposal.proposed_by,
        requested_at=proposal.proposed_at,
        approval_id=proposal.id,
    )
    return f"{API_PREFIX}/activations/{activation_id}"


async def _plan(
    session: AsyncSession,
    found: _Whom,
    *,
    household_ids: Sequence[UUID] | None,
    known_until: datetime,
    households_per_chunk: int,
    clock: Clock,
    **why: Any,
) -> None:
    run = await plan_further(
        session,
        activation_id=found.activation.id,
        households={commune: households for commune, households, _ in found.by_commune},
        covers=["late"] if household_ids is None else sorted(household_ids),
        currency=found.document.currency,
        clock=clock,
        households_per_chunk=households_per_chunk,
    )
    await repository.add_further(
        session,
        run_id=run.id,
        household_ids=None if household_ids is None else list(household_ids),
        whatever_the_rule=found.whom is Further.BY_HAND,
        known_until=known_until,
        **why,
    )


async def _whom(
    session: AsyncSession,
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    *,
    known_until: datetime,
    clock: Clock,
) -> _Whom:
    """Whom of an activation it is about; raises NotFound, and Conflict where there is nobody.

    Until the commit nothing else of the activation is let through.
    """
    activation = await activations.lock_activation(session, activation_id)
    if activation is None:
        await get_activation(session, activation_id)
        raise AssertionError
    require_not_cancelled(activation)
    if activation.scheme_version is None:
        raise Conflict(f"Nobody is enrolled for the activation yet. {activation.not_enrolled}")
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    communes = await activations.reached_communes(session, activation_id)
    if given.household_ids is None:
        whom = Further.LATE
        await _require_open(session, activation_id, today=clock.today())
        if given.areas is not None:
            communes = frozenset(
                code for code in communes if any(_lies_in(code, area) for area in given.areas)
            )
    else:
        whom = Further.BY_HAND if given.whatever_the_rule else Further.NAMED
        lives = await _require_free(session, activation, given.household_ids)
        if whom is Further.BY_HAND:
            communes = frozenset(lives.values())
    found = _Whom(
        activation,
        document,
        whom,
        await repository.sums_of_further(
            session,
            document,
            whom,
            activation_id,
            communes,
            known_until=known_until,
            as_of=activation.opened_on,
            household_ids=given.household_ids,
        ),
    )
    if not found.by_commune:
        raise Conflict(
            "Nobody is there to enrol: whoever is meant is enrolled, is not eligible, lives where "
            "the activation does not reach, or was changed since it was proposed. "
            f"GET /v1/activations/{activation_id}/households/{{household_id}}/decision says why."
        )
    return found


def _lies_in(commune: str, area: str) -> bool:
    return area == "KH" or commune.startswith(area)


async def _require_open(session: AsyncSession, activation_id: UUID, *, today: date) -> None:
    rounds = await activations.lock_rounds(session, activation_id)
    last = max(payment_round.due_on for payment_round in rounds.values())
    if today > last:
        raise Conflict(
            f"The last round was due on {last}: late registrants are not enrolled any more. "
            "Households that are named can be."
        )


async def _require_free(
    session: AsyncSession, activation: Activation, household_ids: Sequence[UUID]
) -> Mapping[UUID, str]:
    """Where these households live; raises Conflict where some cannot be enrolled."""
    lives = await repository.communes_of(session, household_ids)
    missing = len(set(household_ids)) - len(lives)
    if missing:
        raise NotFound(
            f"{missing} of the households named are not registered. GET /v1/households lists those "
            "of an area."
        )
    enrolled = await repository.count_enrolled(session, activation.id, household_ids)
    if enrolled:
        raise Conflict(
            f"{enrolled} of the households named are enrolled in the activation already. What is "
            "owed to them and not paid is announced again by a repair: "
            f"POST /v1/activations/{activation.id}/repairs."
        )
    kept_out = await repository.count_kept_out(
        session, activation.scheme_code, activation.id, household_ids
    )
    if kept_out:
        raise Conflict(
            f"Officers keep {kept_out} of the households named out. GET /v1/exclusions lists them; "
            "admit them again first."
        )
    return lives


async def exclude(
    session: AsyncSession,
    activation_id: UUID,
    household_id: UUID,
    given: ExclusionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ExclusionOut:
    """Keep a household out of what is not worked out yet; raises NotFound, Conflict.

    One person does it alone, for less is paid by it; to undo it takes two.
    """
    activation = await get_activation(session, activation_id)
    await _require_household(session, household_id)
    kept = await repository.add_exclusion(
        session,
        id=new_id(),
        household_id=household_id,
        scheme_code=activation.scheme_code,
        activation_id=None if given.whole_scheme else activation_id,
        reason=given.reason,
        excluded_by=caller.subject,
        excluded_at=clock.now(),
    )
    if kept is None:
        raise Conflict("The household is kept out already: GET /v1/exclusions lists it.")
    await audit.record(
        session,
        f"households/{household_id}",
        after={"excluded_from": activation.scheme_code, "exclusion_id": str(kept.id)},
        reason=given.reason,
    )
    announced = await repository.count_announced(session, household_id, activation_id)
    return ExclusionOut.model_validate(kept).model_copy(update={"announced_rounds": announced})


async def list_exclusions(
    session: AsyncSession, *, scheme: str | None, standing: bool, page: Page
) -> PageOf[ExclusionOut]:
    """A page of exclusions, in the order in which they were made."""
    found = await repository.list_exclusions(
        session, scheme=scheme, standing=standing, after=page.after(UUID), limit=page.fetch_limit
    )
    rows = [ExclusionOut.model_validate(kept) for kept in found]
    return page.of(rows, key=lambda kept: (kept.id,))


async def get_exclusion(session: AsyncSession, exclusion_id: UUID) -> ExclusionOut:
    """One exclusion; raises NotFound."""
    return ExclusionOut.model_validate(await _exclusion(session, exclusion_id, locked=False))


async def propose_readmission(
    session: AsyncSession,
    steps: Steps,
    exclusion_id: UUID,
    given: ReadmissionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to admit a household again; raises NotFound, Conflict."""
    kept = await _standing(session, exclusion_id)
    rounds, minor = await repository.owed_anew(session, kept)
    currency = await _currency(session, kept)
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.READMISSION,
        {"exclusion_id": str(exclusion_id), "reason": given.reason},
        Effect(
            what=f"Admit a household to the scheme '{kept.scheme_code}' again, which was kept out "
            f"because: {kept.reason} It was left out of "
            f"{'1 round' if rounds == 1 else f'{rounds} rounds'}. What that comes to is owed then, "
            "and waits for a repair.",
            households=1,
            amount_minor=minor if currency else None,
            currency=currency,
        ),
        reason=given.reason,
        caller=caller,
        clock=clock,
    )


async def carry_out_readmission(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Admit a household again, as two persons wanted it, if it is owed no more than they saw."""
    kept = await _standing(session, UUID(proposal.document["exclusion_id"]))
    _, minor = await repository.owed_anew(session, kept)
    if minor > (proposal.amount_minor or 0):
        raise Conflict(
            f"It comes to {minor:,} by now, more than was proposed. Decline it, and propose it "
            "again."
        )
    return await _readmit(
        session, kept, by=proposal.proposed_by, because=proposal.document["reason"], clock=clock
    )


async def _readmit(
    session: AsyncSession, kept: HouseholdExclusion, *, by: str, because: str, clock: Clock
) -> str:
    await repository.readmit(session, kept)
    await repository.end_exclusion(session, kept.id, by=by, at=clock.now(), because=because)
    await audit.record(
        session,
        f"households/{kept.household_id}",
        before={"excluded_from": kept.scheme_code, "exclusion_id": str(kept.id)},
        after={"excluded_from": None},
        reason=because,
    )
    return f"{API_PREFIX}/exclusions/{kept.id}"


async def _currency(session: AsyncSession, kept: HouseholdExclusion) -> str | None:
    if kept.activation_id is None:
        return None
    activation = await get_activation(session, kept.activation_id)
    if activation.scheme_version is None:
        return None
    document = await get_document(session, activation.scheme_code, activation.scheme_version)
    return document.currency


async def _exclusion(
    session: AsyncSession, exclusion_id: UUID, *, locked: bool
) -> HouseholdExclusion:
    kept = await repository.find_exclusion(session, exclusion_id, locked=locked)
    if kept is None:
        raise NotFound("There is no such exclusion. GET /v1/exclusions lists them.")
    return kept


async def _standing(session: AsyncSession, exclusion_id: UUID) -> HouseholdExclusion:
    kept = await _exclusion(session, exclusion_id, locked=True)
    if kept.ended_at is not None:
        raise Conflict(f"The household was admitted again, by {kept.ended_by}.")
    return kept


async def _require_household(session: AsyncSession, household_id: UUID) -> None:
    if not await repository.communes_of(session, [household_id]):
        raise NotFound("There is no such household. GET /v1/households lists those of an area.")


async def open_appeal(
    session: AsyncSession, given: AppealIn, *, days: int, caller: Caller, clock: Clock
) -> AppealOut:
    """Keep what a household wants decided anew; raises NotFound, Conflict."""
    activation = await get_activation(session, given.activation_id)
    await _require_household(session, given.household_id)
    if given.wants is Wants.READMISSION and not await repository.standing_exclusion(
        session, given.household_id, activation.scheme_code, activation.id
    ):
        raise Conflict(
            "Nobody keeps the household out, so there is nothing to admit it to. Say what it wants "
            "instead: enrolment, or review."
        )
    if given.wants is Wants.ENROLMENT:
        await _require_free(session, activation, [given.household_id])
    appeal = await repository.add_appeal(
        session,
        id=new_id(),
        household_id=given.household_id,
        scheme_code=activation.scheme_code,
        activation_id=activation.id,
        about=given.about,
        wants=given.wants,
        opened_by=caller.subject,
        opened_at=clock.now(),
        due_on=clock.today() + timedelta(days=days),
    )
    if appeal is None:
        raise Conflict(
            "An appeal of the household about this activation is open already. "
            f"GET /v1/appeals?household_id={given.household_id} lists it; add to it with a note."
        )
    await _say(session, appeal, "opened", given.words, caller=caller, clock=clock)
    return await get_appeal(session, appeal.id, clock=clock)


async def add_note(
    session: AsyncSession, appeal_id: UUID, given: NoteIn, *, caller: Caller, clock: Clock
) -> AppealOut:
    """Add what was found to an appeal that is open; raises NotFound, Conflict."""
    appeal = await _open(session, appeal_id)
    await _say(session, appeal, "noted", given.words, caller=caller, clock=clock)
    return await get_appeal(session, appeal_id, clock=clock)


async def decide_appeal(
    session: AsyncSession,
    appeal_id: UUID,
    given: AppealDecisionIn,
    *,
    households_per_chunk: int,
    caller: Caller,
    clock: Clock,
) -> AppealOut:
    """Decide an appeal that another person opened, and do what it wants where it is upheld.

    Raises NotFound; Forbidden for a program; Conflict where it was decided, where the caller opened
    it, or what it wants cannot be done any more.
    """
    appeal = await _open(session, appeal_id)
    if not caller.is_person:
        raise Forbidden("A program cannot decide an appeal. Ask a person who did not open it.")
    if caller.subject == appeal.opened_by:
        raise Conflict("Whoever opened an appeal does not decide it. Ask a second person.")
    outcome = None
    if given.decision is Decided.UPHELD:
        outcome = await _uphold(
            session,
            appeal,
            households_per_chunk=households_per_chunk,
            caller=caller,
            clock=clock,
        )
    await repository.decide_appeal(
        session,
        appeal_id,
        decision=given.decision,
        decided_by=caller.subject,
        decided_at=clock.now(),
        outcome=outcome,
    )
    await _say(session, appeal, given.decision, given.words, caller=caller, clock=clock)
    return await get_appeal(session, appeal_id, clock=clock)


async def _uphold(
    session: AsyncSession,
    appeal: Appeal,
    *,
    households_per_chunk: int,
    caller: Caller,
    clock: Clock,
) -> str | None:
    match Wants(appeal.wants):
        case Wants.ENROLMENT:
            given = FurtherEnrolmentIn(
                reason="An appeal was upheld.",
                household_ids=[appeal.household_id],
                whatever_the_rule=True,
            )
            now = clock.now()
            found = await _whom(session, appeal.activation_id, given, known_until=now, clock=clock)
            await _plan(
                session,
                found,
                household_ids=[appeal.household_id],
                known_until=now,
                households_per_chunk=households_per_chunk,
                clock=clock,
                reason=given.reason,
                requested_by=appeal.opened_by,
                requested_at=appeal.opened_at,
                appeal_id=appeal.id,
            )
            return f"{API_PREFIX}/activations/{appeal.activation_id}"
        case Wants.READMISSION:
            kept = await repository.standing_exclusion(
                session, appeal.household_id, appeal.scheme_code, appeal.activation_id
            )
            if kept is None:
                raise Conflict("Nobody keeps the household out any more. Reject the appeal.")
            return await _readmit(
                session, kept, by=caller.subject, because="An appeal was upheld.", clock=clock
            )
        case Wants.REVIEW:
            return None


async def _say(
    session: AsyncSession,
    appeal: Appeal,
    kind: str,
    words: WordsIn,
    *,
    caller: Caller,
    clock: Clock,
) -> None:
    await repository.add_step(
        session,
        appeal.id,
        kind=kind,
        at=clock.now(),
        by=caller.subject,
        words_en=words.en,
        words_km=words.km,
    )
    await audit.record(session, f"appeals/{appeal.id}", after={"step": kind})


async def _open(session: AsyncSession, appeal_id: UUID) -> Appeal:
    appeal = await repository.lock_appeal(session, appeal_id)
    if appeal is None:
        raise NotFound("There is no such appeal. GET /v1/appeals lists them.")
    if appeal.decision is not None:
        raise Conflict(f"The appeal was {appeal.decision} by {appeal.decided_by}.")
    return appeal


async def get_appeal(session: AsyncSession, appeal_id: UUID, *, clock: Clock) -> AppealOut:
    """An appeal with its history; raises NotFound."""
    appeal = await repository.find_appeal(session, appeal_id)
    if appeal is None:
        raise NotFound("There is no such appeal. GET /v1/appeals lists them.")
    return _shown(appeal, await repository.steps_of(session, [appeal_id]), today=clock.today())


async def list_appeals(
    session: AsyncSession,
    *,
    status: AppealStatus | None,
    household_id: UUID | None,
    page: Page,
    clock: Clock,
) -> PageOf[AppealOut]:
    """A page of appeals, the one that is due first first: those that wait, unless told."""
    found = await repository.list_appeals(
        session,
        undecided=status is AppealStatus.OPEN,
        overdue_on=clock.today() if status is AppealStatus.OVERDUE else None,
        household_id=household_id,
        after=page.after(date, UUID),
        limit=page.fetch_limit,
    )
    steps: dict[UUID, list[AppealStep]] = {}
    for step in await repository.steps_of(session, [appeal.id for appeal in found]):
        steps.setdefault(step.appeal_id, []).append(step)
    rows = [_shown(appeal, steps.get(appeal.id, []), today=clock.today()) for appeal in found]
    return page.of(rows, key=lambda appeal: (appeal.due_on, appeal.id))


def _shown(appeal: Appeal, steps: Sequence[AppealStep], *, today: date) -> AppealOut:
    if appeal.decision is not None:
        status = AppealStatus(appeal.decision)
    else:
        status = AppealStatus.OVERDUE if appeal.due_on < today else AppealStatus.OPEN
    return AppealOut(
        id=appeal.id,
        household_id=appeal.household_id,
        scheme_code=appeal.scheme_code,
        activation_id=appeal.activation_id,
        about=appeal.about,
        wants=appeal.wants,
        status=status,
        opened_by=appeal.opened_by,
        opened_at=appeal.opened_at,
        due_on=appeal.due_on,
        decided_by=appeal.decided_by,
        decided_at=appeal.decided_at,
        outcome=appeal.outcome,
        history=[
            AppealStepOut(
                kind=step.kind,
                at=step.at,
                by=step.by,
                words=Said(en=step.words_en, km=step.words_km),
            )
            for step in steps
        ],
    )
