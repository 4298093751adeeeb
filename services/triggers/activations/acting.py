"""The only writer of activations: they begin, are widened, corrected, moved from state to state.

Whoever calls this has decided already.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import repository
from services.triggers.activations.states import LEGAL_MOVES, Origin, State
from services.triggers.activations.tables import Activation
from services.triggers.definitions.schemas import Trigger
from services.triggers.methods.judgement import Period
from services.triggers.methods.severity import Severity
from shared import audit
from shared.clock import Clock
from shared.contracts.events import ActivationCancelled, ActivationOpened, ActivationWidened
from shared.errors import Conflict, NotFound
from shared.events import publish
from shared.ids import id_of

_IDS_ASKED_ABOUT = 16


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What is activated, on what ground, and who says so."""

    state: State
    areas: tuple[str, ...]
    severity: Severity
    evidence: Period
    origin: Origin
    reason: str
    proposed_by: str


async def begin(
    session: AsyncSession, trigger: Trigger, beginning: Beginning, *, clock: Clock
) -> Activation | None:
    """Begin an activation, open or proposed; None: the trigger has a live one already."""
    is_open = beginning.state is State.OPEN
    activation = await repository.add_activation(
        session,
        {
            "id": await _id_of(session, trigger, beginning.evidence),
            "trigger_code": trigger.code,
            "trigger_version": trigger.version,
            "scheme": trigger.document.scheme,
            "shock": trigger.document.shock,
            "area_filter": trigger.document.area_filter,
            "severity": beginning.severity,
            "origin": beginning.origin,
            "state": beginning.state,
            "reason": beginning.reason,
            "evidence_from": beginning.evidence.first_on,
            "evidence_to": beginning.evidence.last_on,
            "proposed_at": clock.now(),
            "proposed_by": beginning.proposed_by,
            "opened_on": clock.today() if is_open else None,
        },
    )
    if activation is None:
        return None
    areas = await repository.add_areas(
        session,
        activation.id,
        beginning.areas,
        added_at=clock.now(),
        added_by=beginning.proposed_by,
    )
    await _note_move(
        session,
        activation.id,
        from_state=None,
        to_state=beginning.state,
        by=beginning.proposed_by,
        reason=beginning.reason,
        clock=clock,
    )
    if is_open:
        await _announce_opened(session, activation, areas, clock=clock)
    return activation


async def widen(
    session: AsyncSession,
    activation_id: UUID,
    areas: Iterable[str],
    *,
    evidence: Period,
    by: str,
    clock: Clock,
) -> None:
    """Stretch the evidence of a live activation, and add the areas that it does not have."""
    added = await repository.add_areas(
        session, activation_id, areas, added_at=clock.now(), added_by=by
    )
    activation = await repository.stretch_evidence(session, activation_id, evidence)
    # A proposal is announced as a whole when it is approved.
    if added and activation.state is State.OPEN:
        fact = ActivationWidened(**_announcement(activation, added))
        await publish(session, fact, clock=clock)


async def approve(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Open a proposed activation, as it was widened by now."""
    opened = await _move(
        session, activation_id, to_state=State.OPEN, by=by, reason=reason, clock=clock
    )
    areas = [area.area_code for area in await repository.areas_of(session, activation_id)]
    await _announce_opened(session, opened, areas, clock=clock)
    return opened


async def decline(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Turn a proposed activation down."""
    return await _move(
        session, activation_id, to_state=State.DECLINED, by=by, reason=reason, clock=clock
    )


async def close(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """End the widening of a live activation, so that its trigger may open another."""
    return await _move(
        session, activation_id, to_state=State.CLOSED, by=by, reason=reason, clock=clock
    )


async def correct(
    session: AsyncSession,
    activation: Activation,
    *,
    added: Iterable[str],
    refused: Collection[str],
    by: str,
    reason: str,
    clock: Clock,
) -> Activation:
    """Add areas to an open activation, and refuse some of its own in which nobody is enrolled."""
    await repository.refuse_areas(
        session, activation.id, refused, refused_at=clock.now(), refused_by=by
    )
    new = await repository.add_areas(
        session, activation.id, added, added_at=clock.now(), added_by=by
    )
    if new:
        fact = ActivationWidened(**_announcement(activation, new))
        await publish(session, fact, clock=clock)
    changes = [
        f"{what} {', '.join(sorted(areas))}."
        for what, areas in (("Added", new), ("Refused", refused))
        if areas
    ]
    await _note_move(
        session,
        activation.id,
        from_state=activation.state,
        to_state=activation.state,
        by=by,
        reason=" ".join([*changes, reason]),
        clock=clock,
    )
    return activation


async def cancel(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Let whatever of an activation has not been sent never be sent."""
    cancelled = await _move(
        session, activation_id, to_state=State.CANCELLED, by=by, reason=reason, clock=clock
    )
    fact = ActivationCancelled(activation_id=activation_id, cancelled_on=clock.today())
    await publish(session, fact, clock=clock)
    return cancelled


async def lock(session: AsyncSession, activation_id: UUID) -> Activation:
    """The activation as committed, for this transaction alone until it ends; raises NotFound."""
    activation = await repository.lock_activation(session, activation_id)
    if activation is None:
        raise unknown_activation()
    return activation


def unknown_activation() -> NotFound:
    return NotFound("No activation has this id. GET /v1/activations lists them.")


async def _id_of(session: AsyncSession, trigger: Trigger, evidence: Period) -> UUID:
    """The id of the next activation of this version whose evidence begins on that day.

    Whoever begins it again, after the database has lost it, gives it the same.
    """
    for first in count(step=_IDS_ASKED_ABOUT):
        ids = [
            id_of("activation", trigger.code, trigger.version, number, day=evidence.first_on)
            for number in range(first, first + _IDS_ASKED_ABOUT)
        ]
        taken = await repository.taken_ids(session, ids)
        for activation_id in ids:
            if activation_id not in taken:
                return activation_id
    raise AssertionError("Counting does not end.")


async def _move(
    session: AsyncSession,
    activation_id: UUID,
    *,
    to_state: State,
    by: str,
    reason: str,
    clock: Clock,
) -> Activation:
    """The only writer of a state. Raises NotFound, and Conflict for a move that is not legal."""
    activation = await lock(session, activation_id)
    from_state = activation.state
    if to_state not in LEGAL_MOVES[from_state]:
        raise Conflict(
            f"The activation is {from_state} and cannot become {to_state} any more. "
            "GET /v1/activations/{id} tells who decided, when and why."
        )
    moved = await repository.set_state(
        session,
        activation_id,
        state=to_state,
        opened_on=clock.today() if to_state is State.OPEN else activation.opened_on,
    )
    await _note_move(
        session,
        activation_id,
        from_state=from_state,
        to_state=to_state,
        by=by,
        reason=reason,
        clock=clock,
    )
    return moved


async def _note_move(
    session: AsyncSession,
    activation_id: UUID,
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
            "activation_id": activation_id,
            "from_state": from_state,
            "to_state": to_state,
            "moved_at": clock.now(),
            "moved_by": by,
            "reason": reason,
        },
    )
    await audit.record(
        session,
        f"activations/{activation_id}",
        before={"state": from_state} if from_state else None,
        after={"state": to_state},
        reason=reason,
    )


async def _announce_opened(
    session: AsyncSession, activation: Activation, areas: list[str], *, clock: Clock
) -> None:
    await publish(session, ActivationOpened(**_announcement(activation, areas)), clock=clock)


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
