"""What is done about an episode, for every case that there can be, without a database."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triggers.activations.known import KnownActivation
from services.triggers.activations.states import LEGAL_MOVES, Origin, State
from services.triggers.evaluations.episodes import Episode, Noted
from services.triggers.evaluations.intent import (
    Begin,
    Closing,
    Doubt,
    Intent,
    Quiet,
    Widen,
    Withheld,
    assigned,
    closings,
    doubts,
    intent_of,
)
from services.triggers.methods.judgement import Period
from services.triggers.methods.severity import Severity

ID = UUID(int=1)
DAY = date(2020, 10, 12)
BECAUSE = "So says the method."


def is_over(*, evidence_to: date, on: date) -> bool:
    return on > evidence_to + timedelta(days=30)


def episode(
    number: int = 0,
    *,
    first_on: date = DAY,
    last_on: date = DAY,
    severity: Severity = Severity.SEVERE,
    areas: tuple[str, ...] = ("02", "15"),
    withdrawn: Noted | None = None,
    ended: Noted | None = None,
) -> Episode:
    return Episode(
        number=number,
        first_on=first_on,
        last_on=last_on,
        decided_on=first_on,
        latest_on=last_on,
        severity=severity,
        areas=areas,
        finding="It is so.",
        because=BECAUSE if number else None,
        withdrawn=withdrawn,
        ended=ended,
    )


def activation(
    state: State,
    *,
    evidence_on: date = DAY,
    evidence_to: date | None = None,
    origin: Origin = Origin.EVIDENCE,
    areas: tuple[str, ...] = ("02",),
    declined: tuple[str, ...] = (),
    is_doubted: bool = False,
) -> KnownActivation:
    return KnownActivation(
        id=ID,
        trigger_version=1,
        state=state,
        origin=origin,
        severity=Severity.SEVERE,
        evidence=Period(first_on=evidence_on, last_on=evidence_to or evidence_on),
        areas=frozenset(areas),
        declined=frozenset(declined),
        is_doubted=is_doubted,
    )


def intended(*episodes: Episode, known: list[KnownActivation], widens: bool = True) -> Intent:
    """What is to be done about the last of the episodes."""
    return intent_of(
        episodes[-1],
        known,
        assignment=assigned(episodes, known, is_over=is_over),
        widens=widens,
    )


def test_an_episode_that_nobody_acted_on_begins() -> None:
    assert intended(episode(), known=[]) == Intent(act=Begin())


def test_what_was_withdrawn_before_anything_began_begins_nothing() -> None:
    withdrawn = episode(withdrawn=Noted(decided_on=DAY + timedelta(days=1), because=BECAUSE))
    assert isinstance(intended(withdrawn, known=[]).act, Withheld)
    # One that is live is widened still, and doubted.
    assert isinstance(intended(withdrawn, known=[activation(State.OPEN)]).act, Widen)


@pytest.mark.parametrize("state", [State.PROPOSED, State.OPEN])
def test_a_live_activation_of_its_own_is_widened_by_what_it_does_not_have(state: State) -> None:
    assert intended(episode(), known=[activation(state)]).act == Widen(
        activation_id=ID, areas=("15",), severity=None
    )


def test_what_a_person_declined_is_asked_again_once_more_is_known() -> None:
    known = [activation(State.OPEN, declined=("15",))]
    assert intended(episode(), known=known).act == Widen(activation_id=ID, areas=(), severity=None)
    later = episode(last_on=DAY + timedelta(days=1))
    assert intended(later, known=known).act == Widen(activation_id=ID, areas=("15",), severity=None)


def test_a_stronger_judgement_of_the_same_event_raises_the_severity() -> None:
    stronger = episode(severity=Severity.EXTREME)
    assert intended(stronger, known=[activation(State.OPEN)], widens=False).act == Widen(
        activation_id=ID, areas=(), severity=Severity.EXTREME
    )
    weaker = episode(severity=Severity.MODERATE)
    assert isinstance(intended(weaker, known=[activation(State.OPEN)], widens=False).act, Quiet)


@pytest.mark.parametrize(
    ("state", "same_day", "later"),
    [
        (State.DECLINED, Quiet, Begin),
        (State.EXPIRED, Begin, Begin),
        (State.CANCELLED, Quiet, Quiet),
        (State.CLOSED, Quiet, Quiet),
    ],
)
def test_an_ended_activation_of_its_own(
    state: State, same_day: type[object], later: type[object]
) -> None:
    known = [activation(state)]
    assert isinstance(intended(episode(), known=known).act, same_day)
    assert isinstance(intended(episode(last_on=DAY + timedelta(days=1)), known=known).act, later)


def test_another_episode_closes_the_live_activation_of_the_one_before() -> None:
    first = episode()
    second = episode(1, first_on=DAY + timedelta(days=90), last_on=DAY + timedelta(days=90))
    assert intended(first, second, known=[activation(State.OPEN)]) == Intent(
        act=Begin(), closing=Closing(activation_id=ID, reason=BECAUSE)
    )


def test_an_earlier_episode_waits_for_no_later_one() -> None:
    later = DAY + timedelta(days=90)
    episodes = [episode(), episode(1, first_on=later, last_on=later)]
    known = [activation(State.OPEN, evidence_on=later)]
    intent = intent_of(
        episodes[0], known, assignment=assigned(episodes, known, is_over=is_over), widens=True
    )
    assert isinstance(intent.act, Quiet)
    assert intent.closing is None


def test_a_live_activation_whose_event_is_over_is_closed() -> None:
    ended = Noted(decided_on=DAY + timedelta(days=40), because=BECAUSE)
    live = activation(State.OPEN)
    (closing,) = closings([episode(ended=ended)], [live])
    assert closing == Closing(activation_id=ID, reason=BECAUSE, ended_on=ended.decided_on)
    (undecided,) = closings([episode(ended=ended)], [activation(State.PROPOSED)])
    assert undecided.reason.startswith(f"{BECAUSE} Nobody had decided on it by then")
    assert closings([episode()], [live]) == []
    assert closings([episode(ended=ended)], [activation(State.CLOSED)]) == []


def test_what_evidence_no_longer_bears_is_doubted_once_and_never_a_declaration() -> None:
    withdrawn = episode(withdrawn=Noted(decided_on=DAY + timedelta(days=2), because=BECAUSE))

    def told(known: KnownActivation, *episodes: Episode) -> list[Doubt]:
        return doubts(episodes, [known], is_over=is_over)

    (doubt,) = told(activation(State.OPEN), withdrawn)
    assert BECAUSE in doubt.because
    assert len(told(activation(State.OPEN))) == 1
    assert told(activation(State.OPEN), episode()) == []
    assert told(activation(State.OPEN, is_doubted=True), withdrawn) == []
    assert told(activation(State.OPEN, origin=Origin.DECLARED), withdrawn) == []
    assert told(activation(State.CLOSED), withdrawn) == []


@given(
    known=st.lists(
        st.builds(
            activation,
            st.sampled_from(State),
            evidence_on=st.integers(0, 200).map(lambda days: DAY + timedelta(days=days)),
        ),
        max_size=3,
    ),
    days=st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True),
)
def test_no_more_than_one_is_ever_live_and_every_closing_is_legal(
    known: list[KnownActivation], days: list[int]
) -> None:
    live = [each for each in known if each.is_live][:1]
    known = [each for each in known if not each.is_live] + live
    starts = [DAY + timedelta(days=31 * day) for day in sorted(days)]
    episodes = [
        episode(number, first_on=start, last_on=start) for number, start in enumerate(starts)
    ]
    for each in episodes:
        intent = intent_of(
            each, known, assignment=assigned(episodes, known, is_over=is_over), widens=True
        )
        if isinstance(intent.act, Begin) and live:
            assert intent.closing is not None
        if intent.closing is not None:
            assert State.CLOSED in LEGAL_MOVES[live[0].state]
