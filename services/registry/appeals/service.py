"""Hearing what a household wants decided anew, and deciding it by another person."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.service import get_activation
from services.registry.appeals import repository
from services.registry.appeals.schemas import (
    AppealDecisionIn,
    AppealIn,
    AppealOut,
    AppealStatus,
    AppealStepOut,
    Decided,
    NoteIn,
    Wants,
    WordsIn,
)
from services.registry.appeals.tables import Appeal, AppealStep
from services.registry.exclusions.repository import standing_exclusion
from services.registry.exclusions.service import readmit
from services.registry.further_enrolments.schemas import FurtherEnrolmentIn
from services.registry.further_enrolments.service import find_whom, plan, require_free
from services.registry.households.service import require_household
from shared import audit
from shared.auth import Caller
from shared.bounds import Bound
from shared.clock import Clock
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.version import API_PREFIX
from shared.wording.said import Said


async def open_appeal(
    session: AsyncSession, given: AppealIn, *, days: int, caller: Caller, clock: Clock
) -> AppealOut:
    """Keep what a household wants decided anew; raises NotFound, Conflict."""
    activation = await get_activation(session, given.activation_id)
    await require_household(session, given.household_id, bound=caller.areas)
    if given.wants is Wants.READMISSION and not await standing_exclusion(
        session, given.household_id, activation.scheme_code, activation.id
    ):
        raise Conflict(
            "Nobody keeps the household out, so there is nothing to admit it to. Say what it wants "
            "instead: enrolment, or review."
        )
    if given.wants is Wants.ENROLMENT:
        await require_free(session, activation, [given.household_id])
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
    return await get_appeal(session, appeal.id, bound=caller.areas, clock=clock)


async def add_note(
    session: AsyncSession, appeal_id: UUID, given: NoteIn, *, caller: Caller, clock: Clock
) -> AppealOut:
    """Add what was found to an appeal that is open; raises NotFound, Conflict."""
    appeal = await _open(session, appeal_id, bound=caller.areas)
    await _say(session, appeal, "noted", given.words, caller=caller, clock=clock)
    return await get_appeal(session, appeal_id, bound=caller.areas, clock=clock)


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
    appeal = await _open(session, appeal_id, bound=caller.areas)
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
    return await get_appeal(session, appeal_id, bound=caller.areas, clock=clock)


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
            found = await find_whom(
                session, appeal.activation_id, given, known_until=now, clock=clock
            )
            await plan(
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
            kept = await standing_exclusion(
                session, appeal.household_id, appeal.scheme_code, appeal.activation_id
            )
            if kept is None:
                raise Conflict("Nobody keeps the household out any more. Reject the appeal.")
            return await readmit(
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


async def _open(session: AsyncSession, appeal_id: UUID, *, bound: Bound) -> Appeal:
    appeal = await repository.lock_appeal(session, appeal_id, bound=bound)
    if appeal is None:
        raise NotFound("There is no such appeal. GET /v1/appeals lists them.")
    if appeal.decision is not None:
        raise Conflict(f"The appeal was {appeal.decision} by {appeal.decided_by}.")
    return appeal


async def get_appeal(
    session: AsyncSession, appeal_id: UUID, *, bound: Bound, clock: Clock
) -> AppealOut:
    """An appeal with its history; raises NotFound."""
    appeal = await repository.find_appeal(session, appeal_id, bound=bound)
    if appeal is None:
        raise NotFound("There is no such appeal. GET /v1/appeals lists them.")
    return _shown(appeal, await repository.steps_of(session, [appeal_id]), today=clock.today())


async def list_appeals(
    session: AsyncSession,
    *,
    status: AppealStatus | None,
    household_id: UUID | None,
    bound: Bound,
    page: Page,
    clock: Clock,
) -> PageOf[AppealOut]:
    """A page of appeals, the one that is due first first: those that wait, unless told."""
    found = await repository.list_appeals(
        session,
        undecided=status is AppealStatus.OPEN,
        overdue_on=clock.today() if status is AppealStatus.OVERDUE else None,
        household_id=household_id,
        bound=bound,
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
