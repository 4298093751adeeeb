"""What is to be done about a judgement.

A pure function of the judgement and the trigger's latest activation, the same for every
method: what methods do differently is in the values that it is given.
"""

from dataclasses import dataclass
from uuid import UUID

from services.triggers.activations.latest import LatestActivation
from services.triggers.activations.states import State
from services.triggers.methods.judgement import Judgement
from services.triggers.methods.method import Continuation, Order
from services.triggers.methods.trigger_stage import TriggerStage


@dataclass(frozen=True, kw_only=True)
class Predecessor:
    """The trigger's latest activation, and how what is judged stands to the event of it."""

    activation: LatestActivation
    continuation: Continuation


@dataclass(frozen=True)
class Nothing:
    """The activation stage was not reached."""


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """It was reached, and its event was activated, or declined, before."""

    activation_id: UUID
    because: str


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Propose an activation. Whether it opens by itself depends on what it would pay."""


@dataclass(frozen=True, kw_only=True)
class Widen:
    """Stretch an activation's evidence, and add areas that it does not have, if any."""

    activation_id: UUID
    areas: tuple[str, ...]


Step = Nothing | Quiet | Begin | Widen


@dataclass(frozen=True, kw_only=True)
class Closing:
    """An earlier activation that is to be closed first, and why."""

    activation_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What is to be done, and what is to be closed before."""

    step: Step
    closing: Closing | None = None


def intent_of(judgement: Judgement, *, predecessor: Predecessor | None, widens: bool) -> Intent:
    """What is to be done. `widens` is the method's: whether later evidence adds areas."""
    closing = _closing(predecessor)
    if judgement.stage is not TriggerStage.ACTIVATION:
        return Intent(step=Nothing(), closing=closing)
    if predecessor is None or _is_another_event(judgement, predecessor):
        return Intent(step=Begin(), closing=closing)
    return Intent(step=_about_the_same_event(judgement, predecessor, widens=widens))


def _closing(predecessor: Predecessor | None) -> Closing | None:
    if predecessor is None or not predecessor.activation.is_live:
        return None
    if predecessor.continuation.order is not Order.LATER:
        return None
    return Closing(activation_id=predecessor.activation.id, reason=predecessor.continuation.because)


def _is_another_event(judgement: Judgement, predecessor: Predecessor) -> bool:
    activation = predecessor.activation
    if activation.state is State.DECLINED:
        # A person declined on what was known: whatever is newer may be proposed again.
        return judgement.period.last_on > activation.evidence.last_on
    if activation.state is State.EXPIRED and predecessor.continuation.order is not Order.EARLIER:
        # Silence is not no.
        return judgement.period.last_on >= activation.evidence.last_on
    return predecessor.continuation.order is Order.LATER


def _about_the_same_event(
    judgement: Judgement, predecessor: Predecessor, *, widens: bool
) -> Quiet | Widen:
    activation, continuation = predecessor.activation, predecessor.continuation
    if activation.state is State.DECLINED:
        return Quiet(
            activation_id=activation.id,
            because="A person declined to activate on this evidence.",
        )
    if activation.state is State.CANCELLED and continuation.order is Order.SAME:
        return Quiet(
            activation_id=activation.id,
            because="A person cancelled the activation of this event. To pay for it after all, "
            "declare another.",
        )
    if widens and activation.is_live and continuation.order is Order.SAME:
        known = activation.areas
        if judgement.period.last_on <= activation.evidence.last_on:
            # As with a whole activation: what a person declined is asked again if more is known.
            known |= activation.declined
        new = tuple(sorted(set(judgement.areas) - known))
        return Widen(activation_id=activation.id, areas=new)
    return Quiet(activation_id=activation.id, because=continuation.because)
