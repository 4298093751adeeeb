"""A provider that does not answer is left alone, longer each time; the waits have to make sense."""

import pytest
from pydantic import ValidationError

from services.payments.providers import pausing
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.pausing import Pausing
from services.payments.settings import Settings
from shared.retry import Backoff

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
    lane = Pausing(Backoff(first_seconds=10, longest_seconds=35))
    for _ in range(7):
        lane.note(SILENCE)
    lane.note(UNSENDABLE)
    assert not lane.paused
    for length in (10, 20, 35, 35):
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
    clock.now += 10
    lane.note(REFUSAL)
    for _ in range(7):
        lane.note(SILENCE)
    assert not lane.paused
    lane.note(SILENCE)
    clock.now += 10
    assert not lane.paused


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
