"""What may happen to an activation: it is proposed, opens, widens, is corrected, closes, ends."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting, proposing, repository
from services.triggers.activations.acting import Beginning
from services.triggers.activations.evidence import evidence_of, persons_behind
from services.triggers.activations.known import KnownActivation
from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    AreaOut,
    CorrectionIn,
    DecisionIn,
    DeclarationIn,
    MoveOut,
)
from services.triggers.activations.states import Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.approvals.tables import ApprovalKind
from services.triggers.areas import lies_within
from services.triggers.checks.estimate import Estimate
from services.triggers.checks.service import Checks
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from shared.approvals import ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf

_SENT = (
    "What had been sent before is paid. How many payments that were, how many were cancelled, and "
    "how much of each, stands in payments: GET /v1/activations/{id}."
)

_OLDEST_EVENT = timedelta(days=366)
"""An official declares no event that is longer ago."""


@dataclass(frozen=True, kw_only=True)
class LookedUp:
    """What the registry says of a correction."""

    enrolling_nobody: frozenset[str]
    """Those of the areas to refuse in which nobody can be enrolled."""
    estimate: Estimate
    """What the activation would pay once it is corrected."""


async def lock_known(
    session: AsyncSession, triggers: Collection[str]
) -> dict[str, list[KnownActivation]]:
    """These triggers' activations, in the order in which they were proposed; locked."""
    found: dict[str, list[KnownActivation]] = {trigger: [] for trigger in triggers}
    locked = await repository.lock_all(session, triggers)
    areas_of = await repository.areas_of_all(session, [activation.id for activation in locked])
    for activation in locked:
        areas = areas_of[activation.id]
        declined = frozenset(area.area_code for area in areas if area.declined_at is not None)
        found[activation.trigger_code].append(
            KnownActivation(
                id=activation.id,
                trigger_version=activation.trigger_version,
                state=activation.state,
                origin=activation.origin,
                severity=activation.severity,
                evidence=evidence_of(activation),
                areas=frozenset(area.area_code for area in areas) - declined,
                declined=declined,
                is_unweighed=activation.weigh_at is not None,
                is_doubted=activation.doubt is not None,
            )
        )
    return found


async def judge_once_weighed(session: AsyncSession, activation_id: UUID, *, at: datetime) -> None:
    """Have a live activation's trigger judged again, by an instant, once it is weighed."""
    await repository.judge_once_weighed(session, activation_id, at=at)


async def close_by_evidence(
    session: AsyncSession, trigger: Trigger, activation_id: UUID, because: str, *, clock: Clock
) -> None:
    """End the widening of a live activation: what is known says that its event is over."""
    await acting.close(
        session, activation_id, by=f"trigger:{trigger.code}", reason=because, clock=clock
    )


async def doubt(
    session: AsyncSession,
    steps: Steps,
    trigger: Trigger,
    activation_id: UUID,
    because: str,
    *,
    clock: Clock,
) -> None:
    """Note that later figures would not have let a live activation begin, and ask a person.

    One that is not open yet is not opened by itself any more.
    """
    by = f"trigger:{trigger.code}"
    doubted = await acting.doubt(session, activation_id, by=by, reason=because, clock=clock)
    if doubted.state is State.OPEN:
        await _propose_cancellation(
            session,
            steps,
            doubted,
            trigger,
            reason=because,
            caller=Caller(by, frozenset()),
            clock=clock,
        )


async def declare(
    session: AsyncSession,
    steps: Steps,
    body: DeclarationIn,
    *,
    estimate: Estimate,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose an activation without evidence of the trigger's own.

    Raises Conflict for an unknown or retired trigger and while it has a live activation, and
    Unprocessable for a day to come or an area in which the trigger does not act.
    """
    try:
        trigger = await definitions.get(session, body.trigger)
    except NotFound as error:
        raise Conflict(error.detail) from None
    if not trigger.document.enabled:
        raise Conflict(f"Trigger '{trigger.code}' is retired. Post a version that is enabled.")
    if body.observed_on > clock.today():
        raise Unprocessable(f"observed_on lies after today, {clock.today()}. Correct the day.")
    if body.observed_on < clock.today() - _OLDEST_EVENT:
        raise Unprocessable(
            f"observed_on lies more than {_OLDEST_EVENT.days} days before today, {clock.today()}: "
            "what was so long ago is no emergency any more. Correct the day."
        )
    _require_within(body.areas, trigger)
    live = await _find_live(session, trigger.code)
    if live is not None:
        if not _is_over(trigger, live, on=body.observed_on):
            raise _live_already(live)
        await acting.close(
            session,
            live.id,
            by=caller.subject,
            reason="A later event was declared.",
            clock=clock,
        )
    activation = await acting.begin(
        session,
        trigger,
        Beginning(
            areas=tuple(body.areas),
            severity=body.severity,
            evidence=Period(first_on=body.observed_on, last_on=body.observed_on),
            origin=Origin.DECLARED,
            reason=body.reason,
            proposed_by=caller.subject,
        ),
        clock=clock,
    )
    if activation is None:
        raise _live_already(await _find_live(session, trigger.code))
    proposal = await proposing.propose(
        session,
        steps,
        activation,
        trigger,
        added=set(body.areas),
        together=set(body.areas),
        estimate=estimate,
        because="An official declares it.",
        clock=clock,
    )
    await repository.weighed(session, activation.id)
    return proposal


async def require_activating(
    body: DeclarationIn, *, database: Database, checks: Checks
) -> Estimate:
    """What a declaration would pay, by the registry, which is asked before the transaction.

    Raises a Problem where nobody could be enrolled by what is declared, or nobody can say.
    """
    try:
        async with database.transaction() as session:
            trigger = await definitions.get(session, body.trigger)
    except NotFound as error:
        raise Conflict(error.detail) from None
    return await checks.require_activating(
        trigger=trigger.code,
        areas=body.areas,
        area_filter=trigger.document.area_filter,
        scheme=trigger.document.scheme,
    )


async def close(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """End the widening of an activation, which is paid as far as it is; a proposal is dropped.

    Raises NotFound, or Conflict when it is not live any more.
    """
    closed = await acting.close(
        session, activation_id, by=caller.subject, reason=body.reason, clock=clock
    )
    return await _detail(session, closed)


async def propose_cancellation(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    body: DecisionIn,
    *,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to stop whatever of an open or closed activation has not been sent.

    Raises NotFound, or Conflict when it was never opened, or is cancelled already.
    """
    activation = await acting.lock(session, activation_id)
    acting.require_move(activation, State.CANCELLED)
    return await _propose_cancellation(
        session,
        steps,
        activation,
        await definitions.get(session, activation.trigger_code),
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


async def propose_correction(
    session: AsyncSession,
    steps: Steps,
    activation_id: UUID,
    body: CorrectionIn,
    *,
    looked_up: LookedUp,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Propose to add the right areas to an open activation, in place of wrong ones.

    Raises NotFound; Conflict when it is not open, has changed since the registry was asked, or
    somebody may have been enrolled in an area that is refused; and Unprocessable for areas that
    are not its own.
    """
    activation = await acting.lock(session, activation_id)
    acting.require_open(activation, "corrected")
    trigger = await definitions.get(session, activation.trigger_code)
    _require_within(body.areas_added, trigger)
    own = {area.area_code for area in await repository.areas_of(session, activation_id)}
    if not own.issuperset(body.areas_refused):
        raise Unprocessable(
            "Some of areas_refused are no areas of this activation. "
            "GET /v1/activations/{id} lists those that are."
        )
    enrolling = sorted(set(body.areas_refused) - looked_up.enrolling_nobody)
    if enrolling:
        raise Conflict(
            f"Households are enrolled in {', '.join(enrolling[:10])}: these are areas of the "
            "gazetteer, and stay. To stop what has not been sent of the whole activation, cancel "
            "it with POST /v1/activations/{id}/cancellation and declare another."
        )
    changes = [
        f"{what} {proposing.named(areas)}"
        for what, areas in (("add", body.areas_added), ("refuse", body.areas_refused))
        if areas
    ]
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.CORRECTION,
        {
            "activation_id": str(activation_id),
            "areas_added": sorted(set(body.areas_added)),
            "areas_refused": sorted(set(body.areas_refused)),
            "evidence": proposing.evidence_path(activation_id),
        },
        Effect(
            what=f"Correct the activation of trigger '{trigger.code}' of "
            f"{activation.opened_on}: {', '.join(changes)}: {looked_up.estimate} in all.",
            households=looked_up.estimate.households,
            amount_minor=looked_up.estimate.amount_minor,
            currency=looked_up.estimate.currency,
            evidence_by=await persons_behind(session, activation, trigger),
        ),
        reason=body.reason,
        caller=caller,
        clock=clock,
    )


async def look_up(
    activation_id: UUID, body: CorrectionIn, *, database: Database, checks: Checks
) -> LookedUp:
    """What the registry says of a correction, before its transaction.

    Raises NotFound, Unprocessable where nobody can be enrolled in an area that is added, and
    Unavailable.
    """
    async with database.transaction() as session:
        activation = await acting.find(session, activation_id)
        announced = {
            area.area_code
            for area in await repository.areas_of(session, activation_id)
            if area.announced_at is not None
        }
    await checks.require_areas(body.areas_added, at="/body/areas_added")
    enrolling_nobody = await checks.that_enrol_nobody(body.areas_refused)
    return LookedUp(
        enrolling_nobody=enrolling_nobody,
        estimate=await checks.estimate_now(
            announced.union(body.areas_added) - enrolling_nobody,
            area_filter=activation.area_filter,
            scheme=activation.scheme,
        ),
    )


async def read(activation_id: UUID, *, database: Database, checks: Checks) -> ActivationDetail:
    """An activation with its areas, its history and its enrolment; raises NotFound."""
    async with database.transaction() as session:
        detail = await _detail(session, await acting.find(session, activation_id))
    # Whatever was never opened, the registry never heard of.
    if detail.opened_on is None:
        return detail
    return detail.model_copy(update={"enrolment": await checks.enrolment(activation_id)})


async def list_page(
    session: AsyncSession, *, trigger: str | None, state: State | None, page: Page
) -> PageOf[ActivationOut]:
    """A page of activations, newest first."""
    rows = await repository.list_activations(
        session,
        trigger=trigger,
        state=state,
        before=page.after(datetime, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [_out(row) for row in rows], key=lambda activation: (activation.proposed_at, activation.id)
    )


def _require_within(areas: Iterable[str], trigger: Trigger) -> None:
    outside = [area for area in areas if not lies_within(area, trigger.document.areas)]
    if outside:
        raise Unprocessable(
            f"Trigger '{trigger.code}' does not act in {', '.join(outside[:10])}. Leave these out."
        )


async def _find_live(session: AsyncSession, trigger: str) -> KnownActivation | None:
    known = (await lock_known(session, [trigger]))[trigger]
    return next((activation for activation in known if activation.is_live), None)


async def _propose_cancellation(
    session: AsyncSession,
    steps: Steps,
    activation: Activation,
    trigger: Trigger,
    *,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.CANCELLATION,
        {
            "activation_id": str(activation.id),
            "evidence": proposing.evidence_path(activation.id),
        },
        Effect(
            what=f"Cancel the activation of trigger '{trigger.code}' of "
            f"{activation.opened_on}: whatever has not been sent never is.",
            evidence_by=await persons_behind(session, activation, trigger),
        ),
        reason=reason,
        caller=caller,
        clock=clock,
    )


def _is_over(trigger: Trigger, live: KnownActivation, *, on: date) -> bool:
    """Whether a live activation's event is over on a day, by every leg's method."""
    return all(
        method_of(leg.method).is_over(leg.method, evidence_to=live.evidence.last_on, on=on)
        for leg in trigger.document.legs
    )


def _live_already(activation: KnownActivation | None) -> Conflict:
    which = f" ({activation.id}, {activation.state})" if activation else ""
    return Conflict(
        f"The trigger has a live activation already{which}. Decide on it if it is proposed; if it "
        "is open, later reports widen it, and another can follow once its event is over.",
        activation_id=str(activation.id) if activation else None,
    )


def _fields(row: Activation) -> dict[str, object]:
    return {
        "id": row.id,
        "trigger": row.trigger_code,
        "trigger_version": row.trigger_version,
        "scheme": row.scheme,
        "shock": row.shock,
        "area_filter": row.area_filter,
        "severity": row.severity,
        "origin": row.origin,
        "state": row.state,
        "reason": row.reason,
        "evidence_from": row.evidence_from,
        "evidence_to": row.evidence_to,
        "proposed_at": row.proposed_at,
        "proposed_by": row.proposed_by,
        "opened_on": row.opened_on,
        "approval_id": row.approval_id,
        "ceiling_households": row.ceiling_households,
        "ceiling_minor": row.ceiling_minor,
        "doubt": row.doubt,
    }


def _out(row: Activation) -> ActivationOut:
    return ActivationOut.model_validate(_fields(row))


async def _detail(session: AsyncSession, row: Activation) -> ActivationDetail:
    areas = [
        AreaOut(
            area=area.area_code,
            added_at=area.added_at,
            added_by=area.added_by,
            announced_at=area.announced_at if row.opened_on else None,
            declined_at=area.declined_at,
            declined_by=area.declined_by,
            refused_at=area.refused_at,
            refused_by=area.refused_by,
            filtered=area.filtered,
        )
        for area in await repository.areas_of(session, row.id)
    ]
    moves = [
        MoveOut.model_validate(move, from_attributes=True)
        for move in await repository.moves_of(session, row.id)
    ]
    sent = _SENT.format(id=row.id) if row.state is State.CANCELLED else None
    return ActivationDetail.model_validate(
        {**_fields(row), "areas": areas, "moves": moves, "sent": sent}
    )
