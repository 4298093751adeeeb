"""What may happen to an activation: it is proposed, opens, widens, is corrected, closes, ends."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting, repository
from services.triggers.activations.acting import Beginning
from services.triggers.activations.latest import LatestActivation
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
from services.triggers.areas import lies_within
from services.triggers.checks.service import Checks
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf

_SENT = (
    "What had been sent before is paid. How many payments that were, how many were cancelled, and "
    "how much of each, stands in payments: GET /v1/activations/{id}."
)


async def lock_latest(session: AsyncSession, trigger: str) -> LatestActivation | None:
    """The trigger's live activation, else the one with the latest evidence; locked."""
    activation = await repository.lock_latest(session, trigger)
    if activation is None:
        return None
    areas = await repository.areas_of(session, activation.id)
    return LatestActivation(
        id=activation.id,
        state=activation.state,
        evidence=Period(first_on=activation.evidence_from, last_on=activation.evidence_to),
        areas=frozenset(area.area_code for area in areas),
    )


async def declare(
    session: AsyncSession, body: DeclarationIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
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
    _require_within(body.areas, trigger)
    latest = await lock_latest(session, trigger.code)
    if latest is not None and latest.is_live:
        if not _is_over(trigger, latest, on=body.observed_on):
            raise _live_already(latest)
        await acting.close(
            session,
            latest.id,
            by=caller.subject,
            reason="A later event was declared.",
            clock=clock,
        )
    activation = await acting.begin(
        session,
        trigger,
        Beginning(
            # One signature never moves public money alone.
            state=State.PROPOSED,
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
        raise _live_already(await lock_latest(session, trigger.code))
    return await _detail(session, activation)


async def require_activating(body: DeclarationIn, *, database: Database, checks: Checks) -> None:
    """Raises a Problem where nobody could be enrolled by what is declared, or nobody can say.

    Before the transaction of the declaration, for the registry is asked.
    """
    try:
        async with database.transaction() as session:
            trigger = await definitions.get(session, body.trigger)
    except NotFound as error:
        raise Conflict(error.detail) from None
    await checks.require_activating(
        trigger=trigger.code,
        areas=body.areas,
        area_filter=trigger.document.area_filter,
        scheme=trigger.document.scheme,
    )


async def approve(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """Open what another person, or the evidence, proposed.

    Raises NotFound, or Conflict when it is not proposed any more or the caller proposed it.
    """
    activation = await acting.lock(session, activation_id)
    if activation.proposed_by == caller.subject:
        raise Conflict(
            "Whoever proposed an activation cannot approve it. Ask a second person to approve it."
        )
    opened = await acting.approve(
        session, activation_id, by=caller.subject, reason=body.reason, clock=clock
    )
    return await _detail(session, opened)


async def decline(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """Turn a proposal down, or take one's own back; later evidence may propose again.

    Raises NotFound, or Conflict when it is not proposed any more.
    """
    declined = await acting.decline(
        session, activation_id, by=caller.subject, reason=body.reason, clock=clock
    )
    return await _detail(session, declined)


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


async def cancel(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """Stop whatever of an open or closed activation has not been sent.

    Raises NotFound, or Conflict when it was never opened, or is cancelled already.
    """
    cancelled = await acting.cancel(
        session, activation_id, by=caller.subject, reason=body.reason, clock=clock
    )
    return await _detail(session, cancelled)


async def correct(
    session: AsyncSession,
    activation_id: UUID,
    body: CorrectionIn,
    *,
    enrolling_nobody: Collection[str],
    caller: Caller,
    clock: Clock,
) -> ActivationDetail:
    """Add the right areas to an open activation, in place of wrong ones.

    ``enrolling_nobody`` are those of ``areas_refused`` of which the registry says so. Raises
    NotFound; Conflict when it is not open, the caller proposed it, or somebody may have been
    enrolled in an area that is refused; and Unprocessable for areas that are not its own.
    """
    activation = await acting.lock(session, activation_id)
    if activation.state is not State.OPEN:
        raise Conflict(
            f"The activation is {activation.state}, and an open one is corrected. Declare another "
            "with POST /v1/activations."
        )
    if activation.proposed_by == caller.subject:
        raise Conflict(
            "Whoever proposed an activation cannot correct it alone. Ask a second person to."
        )
    trigger = await definitions.get(session, activation.trigger_code)
    _require_within(body.areas_added, trigger)
    own = {area.area_code for area in await repository.areas_of(session, activation_id)}
    if not own.issuperset(body.areas_refused):
        raise Unprocessable(
            "Some of areas_refused are no areas of this activation. "
            "GET /v1/activations/{id} lists those that are."
        )
    enrolling = sorted(set(body.areas_refused) - set(enrolling_nobody))
    if enrolling:
        raise Conflict(
            f"Households are enrolled in {', '.join(enrolling[:10])}: these are areas of the "
            "gazetteer, and stay. To stop what has not been sent of the whole activation, cancel "
            "it with POST /v1/activations/{id}/cancellation and declare another."
        )
    corrected = await acting.correct(
        session,
        activation,
        added=body.areas_added,
        refused=body.areas_refused,
        by=caller.subject,
        reason=body.reason,
        clock=clock,
    )
    return await _detail(session, corrected)


async def read(activation_id: UUID, *, database: Database, checks: Checks) -> ActivationDetail:
    """An activation with its areas, its history and its enrolment; raises NotFound."""
    async with database.transaction() as session:
        activation = await repository.find_activation(session, activation_id)
        if activation is None:
            raise acting.unknown_activation()
        detail = await _detail(session, activation)
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


def _is_over(trigger: Trigger, latest: LatestActivation, *, on: date) -> bool:
    """Whether the latest activation's event is over on a day, by the trigger's method."""
    document = trigger.document.leg.method
    return method_of(document).is_over(document, evidence_to=latest.evidence.last_on, on=on)


def _live_already(activation: LatestActivation | None) -> Conflict:
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
    }


def _out(row: Activation) -> ActivationOut:
    return ActivationOut.model_validate(_fields(row))


async def _detail(session: AsyncSession, row: Activation) -> ActivationDetail:
    areas = [
        AreaOut(
            area=area.area_code,
            added_at=area.added_at,
            added_by=area.added_by,
            refused_at=area.refused_at,
            refused_by=area.refused_by,
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
