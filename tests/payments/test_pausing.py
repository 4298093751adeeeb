"""A provider that does not answer is left alone, longer each time; the waits have to make sense."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.payments.providers import pausing
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.pausing import Pausing
from services.payments.settings import Settings
from shared.retry import Backoff, Spread

SILENCE = Answer(AnswerKind.NO_ANSWER, reason="timeout", provider_unwell=True)
REFUSAL = Answer(AnswerKind.REJECTED, reason="incorrectState")
UNSENDABLE = Answer(AnswerKind.UNSENDABLE, reason="account_unreadable")


class Clock:
    """The machine's clock, as far as a pause looks at it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(pausing, "time", stopped)
    return stopped


def test_a_provider_is_left_alone_after_eight_silences_and_longer_each_time(clock: Clock) -> None:
    # Between the first and three times the one before, half way: 10 to 30, 10 to 60, ...
    lane = Pausing(Backoff(first_seconds=10, longest_seconds=100), draw=lambda: 0.5)
    for _ in range(7):
        lane.note(SILENCE)
    lane.note(UNSENDABLE)
    assert not lane.paused
    for length in (20, 35, 57.5, 91.25, 100):
        lane.note(SILENCE)
        assert lane.paused
        clock.now += length - 1
        assert lane.paused
        clock.now += 1
        assert not lane.paused


def test_an_answer_ends_the_counting(clock: Clock) -> None:
    lane = Pausing(Backoff(first_seconds=10, longest_seconds=35))
    for _ in range(8):
        lane.note(SILENCE)
    clock.now += 35
    lane.note(REFUSAL)
    for _ in range(7):
        lane.note(SILENCE)
    assert not lane.paused
    lane.note(SILENCE)
    assert lane.paused
    clock.now += 35
    assert not lane.paused


@given(
    first=st.floats(min_value=0.001, max_value=100),
    more=st.floats(min_value=0, max_value=1_000),
    draws=st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=30),
)
def test_a_wait_is_between_the_first_and_the_longest_and_three_times_the_one_before(
    first: float, more: float, draws: list[float]
) -> None:
    drawn = iter(draws)
    longest = first + more
    waits = Spread(Backoff(first_seconds=first, longest_seconds=longest), draw=lambda: next(drawn))
    before = first
    for _ in draws:
        length = waits.next_seconds()
        assert first * 0.999 <= length <= min(longest, 3 * before) * 1.001
        before = length


def test_workers_that_paused_at_the_same_moment_do_not_come_back_at_the_same_moment() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=60)
    lengths = {Spread(backoff, draw=Random(seed).random).next_seconds() for seed in range(20)}
    assert len(lengths) == 20


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PAYMENTS_PENDING_INQUIRY_SECONDS", "5000", "pending_inquiry_seconds is longer than"),
        ("PAYMENTS_UNKNOWN_INQUIRY_SECONDS", "0", "greater than 0"),
        ("PAYMENTS_CHUNK_RETRY_SECONDS", "301", "chunk_retry_seconds is longer than"),
    ],
)
def test_waits_that_make_no_sense_are_refused_at_the_start(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=said):
        Settings()


def test_a_provider_is_left_alone_for_as_long_as_it_asks(clock: Clock) -> None:
    lane = Pausing(Backoff(first_seconds=10, longest_seconds=35))
    lane.rest(0)
    assert not lane.paused
    lane.rest(60)
    # Who asks for less does not shorten what was asked for before.
    lane.rest(5)
    clock.now += 59
    assert lane.paused
    clock.now += 2
    assert not lane.paused
    lane.rest(None)
    clock.now += 9
    assert lane.paused
    clock.now += 2
    assert not lane.paused
