"""The only writer of activations: they begin, are widened, corrected, moved from state to state.

Whoever calls this has decided already.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations import repository
from services.triggers.activations.ceilings import Announced, raised
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

    areas: tuple[str, ...]
    severity: Severity
    evidence: Period
    origin: Origin
    reason: str
    proposed_by: str


async def begin(
    session: AsyncSession, trigger: Trigger, beginning: Beginning, *, clock: Clock
) -> Activation | None:
    """Begin an activation, proposed; None: the trigger has a live one already.

    It is weighed next: whether it opens by itself, or a person is asked.
    """
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
            "state": State.PROPOSED,
            "reason": beginning.reason,
            "evidence_from": beginning.evidence.first_on,
            "evidence_to": beginning.evidence.last_on,
            "proposed_at": clock.now(),
            "proposed_by": beginning.proposed_by,
            "opened_on": None,
        },
    )
    if activation is None:
        return None
    await repository.add_areas(
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
        to_state=State.PROPOSED,
        by=beginning.proposed_by,
        reason=beginning.reason,
        clock=clock,
    )
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
    """Stretch the evidence of a live activation, and let areas wait that it does not have.

    They are weighed next: whether they are added by themselves, or a person is asked.
    """
    added = await repository.add_areas(
        session, activation_id, areas, added_at=clock.now(), added_by=by
    )
    await repository.stretch_evidence(session, activation_id, evidence)
    if added:
        await repository.weigh_now(session, activation_id)


async def raise_severity(
    session: AsyncSession,
    activation_id: UUID,
    severity: Severity,
    *,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """Let a live activation be as severe as later evidence of its event says."""
    activation = await lock(session, activation_id)
    before = activation.severity
    await repository.raise_severity(session, activation_id, severity)
    await _note_move(
        session,
        activation_id,
        from_state=activation.state,
        to_state=activation.state,
        by=by,
        reason=f"Its severity was {before} and is {severity}. {reason}",
        clock=clock,
    )


async def open_with(
    session: AsyncSession,
    activation_id: UUID,
    areas: Collection[str],
    *,
    ceiling: Announced,
    by: str,
    reason: str,
    clock: Clock,
) -> Activation:
    """Open a proposed activation in these of its areas; others that came since go on waiting."""
    opened = await _move(
        session, activation_id, to_state=State.OPEN, by=by, reason=reason, clock=clock
    )
    # Yesterday's code took whatever it kept as announced.
    await repository.announce_areas(session, activation_id, areas, announced_at=clock.now())
    announced = await _announcement(session, opened, sorted(areas), ceiling=ceiling)
    await publish(session, ActivationOpened(**announced), clock=clock)
    return opened


async def announce_wider(
    session: AsyncSession,
    activation: Activation,
    areas: Collection[str],
    *,
    ceiling: Announced,
    clock: Clock,
) -> list[str]:
    """Tell of those of an open activation's areas that wait; which these were, by code."""
    added = await repository.announce_areas(session, activation.id, areas, announced_at=clock.now())
    if added:
        announced = await _announcement(session, activation, added, ceiling=ceiling)
        await publish(session, ActivationWidened(**announced), clock=clock)
    return added


async def widen_with(
    session: AsyncSession,
    activation: Activation,
    areas: Collection[str],
    *,
    ceiling: Announced,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """Add what a person approved to an open activation; what was added meanwhile stays so."""
    added = await announce_wider(session, activation, areas, ceiling=ceiling, clock=clock)
    await _note_change(session, activation, [("Added", added)], by=by, reason=reason, clock=clock)


async def leave_out(
    session: AsyncSession,
    activation: Activation,
    areas: Collection[str],
    *,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """Keep that a person declined to widen an activation by these; later evidence may ask again."""
    declined = await repository.decline_areas(
        session, activation.id, areas, declined_at=clock.now(), declined_by=by
    )
    await _note_change(
        session, activation, [("Declined", declined)], by=by, reason=reason, clock=clock
    )


async def decline(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Turn a proposed activation down."""
    return await _move(
        session, activation_id, to_state=State.DECLINED, by=by, reason=reason, clock=clock
    )


async def expire(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Let go of a proposed activation on which nobody decided in time."""
    return await _move(
        session, activation_id, to_state=State.EXPIRED, by=by, reason=reason, clock=clock
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
    added: Collection[str],
    refused: Collection[str],
    ceiling: Announced,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """Add areas to an open activation, and refuse some of its own in which nobody is enrolled."""
    await repository.refuse_areas(
        session, activation.id, refused, refused_at=clock.now(), refused_by=by
    )
    await repository.add_areas(session, activation.id, added, added_at=clock.now(), added_by=by)
    new = await announce_wider(session, activation, added, ceiling=ceiling, clock=clock)
    changes = [("Added", new), ("Refused", sorted(refused))]
    await _note_change(session, activation, changes, by=by, reason=reason, clock=clock)


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


async def doubt(
    session: AsyncSession, activation_id: UUID, *, by: str, reason: str, clock: Clock
) -> Activation:
    """Note on a live activation that what became known later would not have let it begin."""
    activation = await lock(session, activation_id)
    await repository.set_doubt(session, activation_id, reason)
    await _note_move(
        session,
        activation_id,
        from_state=activation.state,
        to_state=activation.state,
        by=by,
        reason=reason,
        clock=clock,
    )
    return activation


async def find(session: AsyncSession, activation_id: UUID) -> Activation:
    """The activation; raises NotFound."""
    activation = await repository.find_activation(session, activation_id)
    if activation is None:
        raise unknown_activation()
    return activation


async def lock(session: AsyncSession, activation_id: UUID) -> Activation:
    """The activation as committed, for this transaction alone until it ends; raises NotFound."""
    activation = await repository.lock_activation(session, activation_id)
    if activation is None:
        raise unknown_activation()
    return activation


def require_move(activation: Activation, to_state: State) -> None:
    """Raises Conflict where an activation cannot move there from where it stands."""
    if to_state not in LEGAL_MOVES[activation.state]:
        raise Conflict(
            f"The activation is {activation.state} and cannot become {to_state} any more. "
            "GET /v1/activations/{id} tells who decided, when and why."
        )


def require_open(activation: Activation, done: str) -> None:
    """Raises Conflict where it is not open, and so cannot be ``done``, as in "corrected"."""
    if activation.state is not State.OPEN:
        raise Conflict(
            f"The activation is {activation.state}, and an open one is {done}. Declare another "
            "with POST /v1/activations."
        )


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
    require_move(activation, to_state)
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


async def _note_change(
    session: AsyncSession,
    activation: Activation,
    changes: Iterable[tuple[str, list[str]]],
    *,
    by: str,
    reason: str,
    clock: Clock,
) -> None:
    """Keep what a person changed of an activation that stays where it is; and look at it anew."""
    words = [f"{what} {', '.join(areas)}." for what, areas in changes if areas]
    await _note_move(
        session,
        activation.id,
        from_state=activation.state,
        to_state=activation.state,
        by=by,
        reason=" ".join([*words, reason]),
        clock=clock,
    )
    await repository.weigh_now(session, activation.id)


async def _announcement(
    session: AsyncSession, activation: Activation, areas: list[str], *, ceiling: Announced
) -> dict[str, Any]:
    before = Announced(households=activation.ceiling_households, minor=activation.ceiling_minor)
    ceiling = raised(before, ceiling)
    await repository.set_ceiling(
        session, activation.id, households=ceiling.households, minor=ceiling.minor
    )
    return {
        "activation_id": activation.id,
        "trigger": activation.trigger_code,
        "trigger_version": activation.trigger_version,
        "scheme": activation.scheme,
        "shock": activation.shock,
        "areas": areas,
        "area_filter": activation.area_filter,
        "severity": activation.severity,
        "opened_on": activation.opened_on,
        "observed_on": activation.evidence_to,
        "ceiling_households": ceiling.households,
        "ceiling_minor": ceiling.minor,
    }
