"""What is done about a judgement, for every case that there can be, without a database."""

from datetime import date, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.triggers.activations.latest import LatestActivation

from services.triggers.activations.states import LEGAL_MOVES, State
from services.triggers.evaluations.intent import (
    Begin,
    Closing,
    Intent,
    Nothing,
    Predecessor,
    Quiet,
    Widen,
    intent_of,
)
from services.triggers.methods.judgement import Judgement, Period
from services.triggers.methods.method import Continuation, Order
from services.triggers.methods.severity import Severity
from services.triggers.methods.trigger_stage import TriggerStage

ID = UUID(int=1)
DAY = date(2020, 10, 12)
BECAUSE = "So says the method."


def judged(
    stage: TriggerStage = TriggerStage.ACTIVATION,
    *,
    last_on: date = DAY,
    areas: tuple[str, ...] = ("02", "15"),
) -> Judgement:
    return Judgement(
        period=Period(first_on=DAY, last_on=last_on),
        stage=stage,
        severity=Severity.SEVERE,
        areas=areas,
        finding="It is so.",
        evidence={},
    )


def after(
    state: State,
    order: Order,
    *,
    evidence_to: date = DAY,
    areas: tuple[str, ...] = ("02",),
    declined: tuple[str, ...] = (),
) -> Predecessor:
    return Predecessor(
        activation=LatestActivation(
            id=ID,
            state=state,
            evidence=Period(first_on=evidence_to, last_on=evidence_to),
            areas=frozenset(areas),
            declined=frozenset(declined),
        ),
        continuation=Continuation(order=order, because=BECAUSE),
    )


QUIET = Intent(step=Quiet(activation_id=ID, because=BECAUSE))
CLOSING = Closing(activation_id=ID, reason=BECAUSE)
BEGUN = Begin()

# What is intended where the activation stage is reached, no day is newer, and areas may be added.
REACHED: dict[tuple[State, Order], Intent] = {
    (State.PROPOSED, Order.SAME): Intent(step=Widen(activation_id=ID, areas=("15",))),
    (State.OPEN, Order.SAME): Intent(step=Widen(activation_id=ID, areas=("15",))),
    (State.CLOSED, Order.SAME): QUIET,
    (State.PROPOSED, Order.EARLIER): QUIET,
    (State.OPEN, Order.EARLIER): QUIET,
    (State.CLOSED, Order.EARLIER): QUIET,
    (State.PROPOSED, Order.LATER): Intent(step=BEGUN, closing=CLOSING),
    (State.OPEN, Order.LATER): Intent(step=BEGUN, closing=CLOSING),
    (State.CLOSED, Order.LATER): Intent(step=BEGUN),
}


@pytest.mark.parametrize(("state", "order"), REACHED)
def test_what_follows_an_activation(state: State, order: Order) -> None:
    intent = intent_of(judged(), predecessor=after(state, order), widens=True)
    assert intent == REACHED[state, order]


@pytest.mark.parametrize("state", [State.PROPOSED, State.OPEN, State.CLOSED])
def test_a_method_that_does_not_widen_is_quiet_about_the_same_event(state: State) -> None:
    predecessor = after(state, Order.SAME)
    assert intent_of(judged(), predecessor=predecessor, widens=False) == QUIET


@pytest.mark.parametrize(("order", "widens"), list(product(Order, (True, False))))
def test_what_a_person_declined_is_proposed_again_only_when_more_is_known(
    order: Order, widens: bool
) -> None:
    predecessor = after(State.DECLINED, order)
    same = intent_of(judged(), predecessor=predecessor, widens=widens)
    assert isinstance(same.step, Quiet)
    assert (same.step.activation_id, same.closing) == (ID, None)
    more = judged(last_on=DAY + timedelta(days=1))
    assert intent_of(more, predecessor=predecessor, widens=widens) == Intent(step=BEGUN)


@pytest.mark.parametrize("widens", [True, False])
def test_what_a_person_cancelled_stays_so_until_another_event(widens: bool) -> None:
    more = judged(last_on=DAY + timedelta(days=1))
    same = intent_of(more, predecessor=after(State.CANCELLED, Order.SAME), widens=widens)
    assert isinstance(same.step, Quiet)
    assert "cancelled" in same.step.because
    later = after(State.CANCELLED, Order.LATER)
    assert intent_of(more, predecessor=later, widens=widens) == Intent(step=BEGUN)


def test_without_an_activation_before_it_begins() -> None:
    assert intent_of(judged(), predecessor=None, widens=True) == Intent(step=BEGUN)


@pytest.mark.parametrize("order", [Order.SAME, Order.LATER])
def test_what_nobody_decided_on_is_proposed_again_on_the_same_evidence(order: Order) -> None:
    expired = after(State.EXPIRED, order)
    assert intent_of(judged(), predecessor=expired, widens=True) == Intent(step=BEGUN)
    earlier = after(State.EXPIRED, Order.EARLIER, evidence_to=DAY + timedelta(days=60))
    assert intent_of(judged(), predecessor=earlier, widens=True) == QUIET


def test_an_area_that_a_person_declined_waits_for_newer_evidence() -> None:
    predecessor = after(State.OPEN, Order.SAME, declined=("15",))
    same = intent_of(judged(), predecessor=predecessor, widens=True)
    assert same == Intent(step=Widen(activation_id=ID, areas=()))
    more = judged(last_on=DAY + timedelta(days=1))
    newer = intent_of(more, predecessor=predecessor, widens=True)
    assert newer == Intent(step=Widen(activation_id=ID, areas=("15",)))


def test_nothing_to_add_still_stretches_the_evidence() -> None:
    predecessor = after(State.OPEN, Order.SAME, areas=("02", "15", "24"))
    intent = intent_of(judged(), predecessor=predecessor, widens=True)
    assert intent == Intent(step=Widen(activation_id=ID, areas=()))


predecessors = st.none() | st.builds(
    after,
    st.sampled_from(State),
    st.sampled_from(Order),
    evidence_to=st.integers(-60, 60).map(lambda days: DAY + timedelta(days=days)),
    areas=st.lists(st.sampled_from(["01", "02", "15"]), max_size=3).map(tuple),
)


@given(
    stage=st.sampled_from(TriggerStage),
    predecessor=predecessors,
    widens=st.booleans(),
)
def test_no_intent_is_illegal(
    stage: TriggerStage, predecessor: Predecessor | None, widens: bool
) -> None:
    intent = intent_of(judged(stage), predecessor=predecessor, widens=widens)
    assert intent == intent_of(judged(stage), predecessor=predecessor, widens=widens)
    # Nothing is paid or proposed below the activation stage.
    assert isinstance(intent.step, Nothing) == (stage is not TriggerStage.ACTIVATION)
    # One live activation for each trigger: a live one is closed before another begins.
    if isinstance(intent.step, Begin) and predecessor and predecessor.activation.is_live:
        assert intent.closing is not None
    if intent.closing:
        assert predecessor is not None
        assert State.CLOSED in LEGAL_MOVES[predecessor.activation.state]
    if isinstance(intent.step, Widen):
        assert predecessor is not None
        assert predecessor.activation.is_live
        assert widens
        assert not set(intent.step.areas) & predecessor.activation.areas
