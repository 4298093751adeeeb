"""What may happen to an activation: it opens or is proposed, is decided on, widens, closes."""

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import acting, repository
from services.triggers.activations.acting import Beginning
from services.triggers.activations.latest import LatestActivation
from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    AreaOut,
    DecisionIn,
    DeclarationIn,
    MoveOut,
)
from services.triggers.activations.states import Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.areas import lies_within
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf


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
    outside = [area for area in body.areas if not lies_within(area, trigger.document.areas)]
    if outside:
        raise Unprocessable(
            f"Trigger '{trigger.code}' does not act in {', '.join(outside[:10])}. Leave these out."
        )
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


async def get(session: AsyncSession, activation_id: UUID) -> ActivationDetail:
    """An activation with its areas and its history; raises NotFound."""
    activation = await repository.find_activation(session, activation_id)
    if activation is None:
        raise acting.unknown_activation()
    return await _detail(session, activation)


async def list_page(
    session: AsyncSession, *, trigger: str | None, state: State | None, page: Page
) -> PageOf[ActivationOut]:
    """A page of activations, newest first."""
    rows = await repository.list_activations(
        session, trigger=trigger, state=state, below=page.after(UUID), limit=page.fetch_limit
    )
    return page.of([_out(row) for row in rows], key=lambda activation: (activation.id,))


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
        AreaOut(area=area.area_code, added_at=area.added_at, added_by=area.added_by)
        for area in await repository.areas_of(session, row.id)
    ]
    moves = [
        MoveOut.model_validate(move, from_attributes=True)
        for move in await repository.moves_of(session, row.id)
    ]
    return ActivationDetail.model_validate({**_fields(row), "areas": areas, "moves": moves})
