"""What may happen to an activation: it opens or is proposed, is decided on, widens, closes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import repository
from services.triggers.activations.schemas import (
    ActivationDetail,
    ActivationOut,
    AreaOut,
    DecisionIn,
    DeclarationIn,
    MoveOut,
)
from services.triggers.activations.states import LEGAL_MOVES, LIVE, Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.activations.window import is_over
from services.triggers.areas import lies_within
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Approval, TriggerOut
from services.triggers.methods.stage import Severity
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import ActivationOpened, ActivationWidened
from shared.errors import Conflict, NotFound, Unprocessable
from shared.events import publish
from shared.ids import new_id
from shared.pagination import Page, PageOf, decode_cursor, page_of


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is to be activated, on what ground, and who says so."""

    areas: tuple[str, ...]
    severity: Severity
    evidence_from: date
    evidence_to: date
    origin: Origin
    reason: str
    proposed_by: str


async def begin(
    session: AsyncSession, trigger: TriggerOut, proposal: Proposal, *, clock: Clock
) -> Activation | None:
    """Open an activation, or propose it where a person has to approve; None: one is live already.

    One signature never moves public money alone: what a person declares is always a proposal,
    and what evidence says is one where the trigger's document wants a second person.
    """
    at_once = proposal.origin is Origin.EVIDENCE and trigger.document.approval is Approval.AUTOMATIC
    state = State.OPEN if at_once else State.PROPOSED
    activation = await repository.add_activation(
        session,
        {
            "id": new_id(),
            "trigger_code": trigger.code,
            "trigger_version": trigger.version,
            "scheme": trigger.document.scheme,
            "shock": trigger.document.shock,
            "area_filter": trigger.document.area_filter,
            "severity": proposal.severity.value,
            "origin": proposal.origin.value,
            "state": state.value,
            "reason": proposal.reason,
            "evidence_from": proposal.evidence_from,
            "evidence_to": proposal.evidence_to,
            "proposed_at": clock.now(),
            "proposed_by": proposal.proposed_by,
            "opened_on": clock.today() if at_once else None,
        },
    )
    if activation is None:
        return None
    areas = await repository.add_areas(
        session,
        activation.id,
        proposal.areas,
        added_at=clock.now(),
        added_by=proposal.proposed_by,
    )
    await _note_move(
        session,
        activation,
        to_state=state,
        by=proposal.proposed_by,
        reason=proposal.reason,
        clock=clock,
        from_state=None,
    )
    if at_once:
        await _announce_opened(session, activation, areas, clock=clock)
    return activation


async def widen(
    session: AsyncSession,
    activation: Activation,
    areas: Iterable[str],
    *,
    evidence_from: date,
    evidence_to: date,
    by: str,
    clock: Clock,
) -> list[str]:
    """Add areas and stretch the evidence of a live activation; the areas that are new to it."""
    added = await repository.add_areas(
        session, activation.id, areas, added_at=clock.now(), added_by=by
    )
    await repository.set_evidence(
        session,
        activation,
        evidence_from=min(evidence_from, activation.evidence_from),
        evidence_to=max(evidence_to, activation.evidence_to),
    )
    # A proposal is announced as a whole when it is approved.
    if added and activation.state == State.OPEN:
        widened = ActivationWidened(**_announcement(activation, added))
        await publish(
            session,
            widened.to_event(source="/triggers", subject=str(activation.id), clock=clock),
        )
    return added


async def close(
    session: AsyncSession, activation: Activation, *, by: str, reason: str, clock: Clock
) -> None:
    """End the widening of a live activation, so that its trigger may open another."""
    await _move(
        session,
        activation,
        to_state=State.CLOSED,
        opened_on=activation.opened_on,
        by=by,
        reason=reason,
        clock=clock,
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
    latest = await repository.lock_latest(session, trigger.code)
    if latest is not None and latest.state in LIVE:
        over = is_over(trigger.document.method, evidence_to=latest.evidence_to, on=body.observed_on)
        if not over:
            raise _live_already(latest)
        await close(
            session,
            latest,
            by=caller.subject,
            reason="A later event was declared.",
            clock=clock,
        )
    activation = await begin(
        session,
        trigger,
        Proposal(
            areas=tuple(body.areas),
            severity=body.severity,
            evidence_from=body.observed_on,
            evidence_to=body.observed_on,
            origin=Origin.DECLARED,
            reason=body.reason,
            proposed_by=caller.subject,
        ),
        clock=clock,
    )
    if activation is None:
        raise _live_already(await repository.lock_latest(session, trigger.code))
    return await _detail(session, activation)


async def approve(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """Open what another person, or the evidence, proposed.

    Raises NotFound, or Conflict when it is not proposed any more or the caller proposed it.
    """
    activation = await _lock(session, activation_id)
    if activation.proposed_by == caller.subject:
        raise Conflict(
            "Whoever proposed an activation cannot approve it. Ask a second person to approve it."
        )
    await _move(
        session,
        activation,
        to_state=State.OPEN,
        opened_on=clock.today(),
        by=caller.subject,
        reason=body.reason,
        clock=clock,
    )
    areas = [area.area_code for area in await repository.areas_of(session, activation.id)]
    opened = await _lock(session, activation_id)
    await _announce_opened(session, opened, areas, clock=clock)
    return await _detail(session, opened)


async def decline(
    session: AsyncSession, activation_id: UUID, body: DecisionIn, *, caller: Caller, clock: Clock
) -> ActivationDetail:
    """Turn a proposal down, or take one's own back; later evidence may propose again.

    Raises NotFound, or Conflict when it is not proposed any more.
    """
    activation = await _lock(session, activation_id)
    await _move(
        session,
        activation,
        to_state=State.DECLINED,
        opened_on=None,
        by=caller.subject,
        reason=body.reason,
        clock=clock,
    )
    return await _detail(session, await _lock(session, activation_id))


async def get(session: AsyncSession, activation_id: UUID) -> ActivationDetail:
    """An activation with its areas and its history; raises NotFound."""
    activation = await repository.find_activation(session, activation_id)
    if activation is None:
        raise _unknown()
    return await _detail(session, activation)


async def list_page(
    session: AsyncSession, *, trigger: str | None, state: State | None, page: Page
) -> PageOf[ActivationOut]:
    """A page of activations, newest first."""
    (below,) = decode_cursor(page.cursor, UUID) if page.cursor else (None,)
    rows = await repository.list_activations(
        session, trigger=trigger, state=state, below=below, limit=page.limit + 1
    )
    return page_of([_out(row) for row in rows], page=page, key=lambda activation: (activation.id,))


async def _move(
    session: AsyncSession,
    activation: Activation,
    *,
    to_state: State,
    opened_on: date | None,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """The only writer of a state. Raises Conflict for a move that is not legal."""
    from_state = State(activation.state)
    if to_state not in LEGAL_MOVES[from_state]:
        raise Conflict(
            f"The activation is {from_state} and cannot become {to_state} any more. "
            "GET /activations/{id} tells who decided, when and why."
        )
    await repository.set_state(session, activation, state=to_state, opened_on=opened_on)
    await _note_move(
        session,
        activation,
        to_state=to_state,
        by=by,
        reason=reason,
        clock=clock,
        from_state=from_state,
    )


async def _note_move(
    session: AsyncSession,
    activation: Activation,
    *,
    from_state: State | None,
    to_state: State,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    await repository.add_move(
        session,
        {
            "activation_id": activation.id,
            "from_state": from_state.value if from_state else None,
            "to_state": to_state.value,
            "moved_at": clock.now(),
            "moved_by": by,
            "reason": reason,
        },
    )


async def _announce_opened(
    session: AsyncSession, activation: Activation, areas: list[str], *, clock: Clock
) -> None:
    opened = ActivationOpened(**_announcement(activation, areas))
    await publish(
        session, opened.to_event(source="/triggers", subject=str(activation.id), clock=clock)
    )


def _announcement(activation: Activation, areas: list[str]) -> dict[str, object]:
    return {
        "activation_id": activation.id,
        "trigger": activation.trigger_code,
        "trigger_version": activation.trigger_version,
        "scheme": activation.scheme,
        "shock": activation.shock,
        "areas": sorted(areas),
        "area_filter": activation.area_filter,
        "severity": activation.severity,
        "opened_on": activation.opened_on,
        "observed_on": activation.evidence_to,
    }


async def _lock(session: AsyncSession, activation_id: UUID) -> Activation:
    activation = await repository.lock_activation(session, activation_id)
    if activation is None:
        raise _unknown()
    return activation


def _unknown() -> NotFound:
    return NotFound("No activation has this id. GET /activations lists them.")


def _live_already(activation: Activation | None) -> Conflict:
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
