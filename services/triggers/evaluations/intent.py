"""What is to be done about an episode of a trigger's history.

A pure function of the episode and the trigger's activations, the same for every method. The
history is told from the evidence alone; what people decided since stands beside it here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from services.triggers.activations.known import KnownActivation
from services.triggers.activations.states import Origin, State
from services.triggers.evaluations.episodes import Episode, Noted
from services.triggers.methods.severity import Severity


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Its event was activated, or declined, before."""

    activation_id: UUID
    because: str


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """Figures that came later have taken the ground of it away before anything began."""

    because: str


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Propose an activation. Whether it opens by itself depends on what it would pay."""


@dataclass(frozen=True, kw_only=True)
class Widen:
    """Stretch an activation's evidence, add areas that it does not have, and raise its severity."""

    activation_id: UUID
    areas: tuple[str, ...]
    severity: Severity | None
    """The higher one; None: it stays."""


Act = Quiet | Withheld | Begin | Widen


@dataclass(frozen=True, kw_only=True)
class Closing:
    """An earlier activation that is to be closed first, and why."""

    activation_id: UUID
    reason: str
    ended_on: date | None = None
    """The day by whose figures its event was over; None: by those of the next event."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What is to be done, and what is to be closed before."""

    act: Act
    closing: Closing | None = None


class IsOver(Protocol):
    """Whether something on the day `on` is too late for evidence that ended on another."""

    def __call__(self, *, evidence_to: date, on: date) -> bool: ...


def assigned(
    episodes: Sequence[Episode], activations: Sequence[KnownActivation], *, is_over: IsOver
) -> Mapping[UUID, int]:
    """Which episode each activation is of, by number; one that is of none is left out.

    It is of the episode with whose days its evidence overlaps. Where the evidence has changed
    since, or an official declared it, it is of the nearest that is not over.
    """
    found = {}
    for activation in activations:
        near = [
            (_days_apart(episode, activation), episode.number)
            for episode in episodes
            if not is_over(evidence_to=activation.evidence.last_on, on=episode.first_on)
            and not is_over(evidence_to=episode.last_on, on=activation.evidence.first_on)
        ]
        if near:
            found[activation.id] = min(near)[1]
    return found


def _days_apart(episode: Episode, activation: KnownActivation) -> int:
    """How many days lie between; 0 where they overlap."""
    evidence = activation.evidence
    return max(
        (evidence.first_on - episode.last_on).days, (episode.first_on - evidence.last_on).days, 0
    )


def intent_of(
    episode: Episode,
    activations: Sequence[KnownActivation],
    *,
    assignment: Mapping[UUID, int],
    widens: bool,
) -> Intent:
    """What is to be done. `activations` are the trigger's, with the latest proposed last.

    `widens` is whether later evidence of the same event adds areas.
    """
    live = next((activation for activation in activations if activation.is_live), None)
    own = [
        activation for activation in activations if assignment.get(activation.id) == episode.number
    ]
    if live is not None and live in own:
        return Intent(act=_about_its_own(episode, live, widens=widens))
    if episode.withdrawn is not None:
        return Intent(act=Withheld(because=_withdrawn(episode.withdrawn)))
    if own and (quiet := _why_quiet(episode, own[-1])) is not None:
        return Intent(act=quiet)
    if live is not None:
        if assignment.get(live.id, -1) > episode.number:
            return Intent(
                act=Quiet(
                    activation_id=live.id,
                    because="What decides came after a later event was activated. To pay for this "
                    "one as well, declare an activation.",
                )
            )
        reason = episode.because or "Another event has begun."
        closing = Closing(activation_id=live.id, reason=_closed(live, reason))
        return Intent(act=Begin(), closing=closing)
    return Intent(act=Begin())


def closings(episodes: Sequence[Episode], activations: Sequence[KnownActivation]) -> list[Closing]:
    """Live activations whose event is over, whether or not another has begun."""
    return [
        Closing(
            activation_id=activation.id,
            reason=_closed(activation, episode.ended.because),
            ended_on=episode.ended.decided_on,
        )
        for activation in activations
        if activation.is_live
        for episode in episodes
        if episode.ended is not None and _days_apart(episode, activation) == 0
    ]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """That what is known now would not have let an activation begin."""

    activation_id: UUID
    because: str


def _closed(live: KnownActivation, because: str) -> str:
    """Why one is closed, and what is left to do where nobody had decided on it."""
    if live.state is not State.PROPOSED:
        return because
    return f"{because} Nobody had decided on it by then: to pay for it as well, declare one."


def doubts(
    episodes: Sequence[Episode], activations: Sequence[KnownActivation], *, is_over: IsOver
) -> list[Doubt]:
    """Live activations that began on evidence which does not stand any more; told once each."""
    assignment = assigned(episodes, activations, is_over=is_over)
    found = []
    for activation in activations:
        if not activation.is_live or activation.origin is Origin.DECLARED or activation.is_doubted:
            continue
        number = assignment.get(activation.id)
        if number is None:
            because = "By what is known now, no event reached activation in those days."
        elif (withdrawn := episodes[number].withdrawn) is not None:
            because = _withdrawn(withdrawn)
        else:
            continue
        found.append(Doubt(activation_id=activation.id, because=because))
    return found


def _withdrawn(withdrawn: Noted) -> str:
    return f"By what became known on {withdrawn.decided_on}: {withdrawn.because}"


def _about_its_own(episode: Episode, live: KnownActivation, *, widens: bool) -> Act:
    severity = episode.severity if episode.severity.rank > live.severity.rank else None
    areas: tuple[str, ...] = ()
    if widens:
        known = live.areas
        if episode.last_on <= live.evidence.last_on:
            # As with a whole activation: what a person declined is asked again if more is known.
            known |= live.declined
        areas = tuple(sorted(set(episode.areas) - known))
    elif severity is None:
        return Quiet(activation_id=live.id, because="Its event has been activated.")
    return Widen(activation_id=live.id, areas=areas, severity=severity)


def _why_quiet(episode: Episode, latest: KnownActivation) -> Quiet | None:
    """Why nothing is begun beside an ended activation of the event; None: it is begun again."""
    match latest.state:
        case State.DECLINED:
            # A person declined on what was known: whatever is newer may be proposed again.
            if episode.last_on > latest.evidence.last_on:
                return None
            because = "A person declined to activate on this evidence."
        case State.EXPIRED:
            # Silence is not no.
            if episode.last_on >= latest.evidence.last_on:
                return None
            because = "Nobody decided in time on later evidence of it."
        case State.CANCELLED:
            because = (
                "A person cancelled the activation of this event. To pay for it after all, "
                "declare another."
            )
        case _:
            because = "Its event was activated before."
    return Quiet(activation_id=latest.id, because=because)
