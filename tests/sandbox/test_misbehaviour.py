"""Each way to misbehave occurs, ends, and is the same for the same seed."""

import time
import uuid
from collections import Counter

import httpx
import pytest

from sandbox.misbehaviour import SHARES, AccountState, Misbehaviour, Temperament
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox, eventually


def temperament(*, seed: int = 7, misbehave: float = 1.0) -> Temperament:
    return Temperament(
        seed=seed, misbehave=misbehave, missing_account_share=0.01, completion_delay_ms=(0, 300)
    )


def test_seed_decides_everything() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(5_000)]
    accounts = [f"+85512{number:06d}" for number in range(5_000)]
    first, same, other = temperament(), temperament(), temperament(seed=8)
    assert [first.conduct(each) for each in ids] == [same.conduct(each) for each in ids]
    assert [first.conduct(each) for each in ids] != [other.conduct(each) for each in ids]
    assert [first.account(each) for each in accounts] == [same.account(each) for each in accounts]
    perfect = temperament(misbehave=0)
    assert [first.account(each) for each in accounts] == [
        perfect.account(each) for each in accounts
    ]


def test_shares_are_as_documented() -> None:
    count = 200_000
    nature = temperament()
    seen = Counter(nature.conduct(str(uuid.UUID(int=n))).misbehaviour for n in range(count))
    for misbehaviour, share in SHARES.items():
        assert seen[misbehaviour] / count == pytest.approx(share, rel=0.2)
    accounts = Counter(nature.account(f"+855{number:09d}") for number in range(count))
    missing = {conduct: n for conduct, n in accounts.items() if conduct.state != AccountState.OPEN}
    assert len(missing) == 4
    for number in missing.values():
        assert number / count == pytest.approx(0.01 / 4, rel=0.2)


def test_perfect_provider_never_misbehaves_and_the_worst_always_does() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(5_000)]
    assert not any(temperament(misbehave=0).conduct(each).misbehaviour for each in ids)
    assert all(temperament(misbehave=25).conduct(each).misbehaviour for each in ids)


def test_slow_answer_comes_in_the_end_and_only_once(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id(Misbehaviour.SLOW_ANSWER)
    started = time.monotonic()
    assert sandbox.disburse(correlation_id).status_code == 202
    assert time.monotonic() - started >= 0.5
    # A busy machine is slow as well, but not at each of them.
    later = []
    for _ in range(5):
        started = time.monotonic()
        assert sandbox.disburse(correlation_id).status_code == 202
        later.append(time.monotonic() - started)
    assert min(later) < 0.5


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.LOST_REPLY, Misbehaviour.SILENCE])
def test_lost_reply_leaves_a_booked_payment_that_can_be_asked_for(
    sandbox: RunningSandbox, misbehaviour: Misbehaviour
) -> None:
    correlation_id = sandbox.new_id(misbehaviour)
    with pytest.raises(httpx.TransportError):
        sandbox.disburse(correlation_id)
    assert len(sandbox.booked(correlation_id)) == 1
    eventually(lambda: sandbox.state_of(correlation_id).get("transactionStatus") == "completed")
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 1
    if misbehaviour is Misbehaviour.LOST_REPLY:
        eventually(lambda: sandbox.receiver.of(correlation_id))


def test_error_before_booking_ends_after_two_tries_at_most(sandbox: RunningSandbox) -> None:
    tries: set[int] = set()
    for _ in range(8):
        correlation_id = sandbox.new_id(Misbehaviour.ERROR_BEFORE_BOOKING)
        statuses: list[int] = []
        while not statuses or statuses[-1] != 202:
            assert sandbox.booked(correlation_id) == []
            assert sandbox.get(f"/responses/{correlation_id}").status_code == 404
            statuses.append(sandbox.disburse(correlation_id).status_code)
        assert set(statuses[:-1]) <= {500, 503}
        assert len(sandbox.booked(correlation_id)) == 1
        tries.add(len(statuses))
    assert tries <= {2, 3}


def test_error_after_booking_is_said_once(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id(Misbehaviour.ERROR_AFTER_BOOKING)
    answer = sandbox.disburse(correlation_id)
    assert answer.status_code in {500, 503}
    assert answer.json()["errorCategory"] in {"internal", "serviceUnavailable"}
    assert len(sandbox.booked(correlation_id)) == 1
    assert sandbox.disburse(correlation_id).status_code == 202
    assert len(sandbox.booked(correlation_id)) == 1


@pytest.mark.parametrize("fresh_ids", [False, True])
def test_duplicate_callbacks_come_two_or_three_times(
    sandbox: RunningSandbox, fresh_ids: bool
) -> None:
    correlation_id = sandbox.new_id(Misbehaviour.DUPLICATE_CALLBACK)
    while sandbox.temperament.conduct(correlation_id).fresh_ids != fresh_ids:
        correlation_id = sandbox.new_id(Misbehaviour.DUPLICATE_CALLBACK)
    sandbox.disburse(correlation_id)
    expected = 1 + sandbox.temperament.conduct(correlation_id).extra_callbacks
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == expected)
    sandbox.wait_until_at_rest()
    callbacks = sandbox.receiver.of(correlation_id)
    assert len(callbacks) == expected
    assert len({callback.raw for callback in callbacks}) == 1
    ids = {callback.webhook_id for callback in callbacks}
    assert len(ids) == (expected if fresh_ids else 1)


def test_early_callback_comes_before_the_202(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id(Misbehaviour.EARLY_CALLBACK)
    answer = sandbox.disburse(correlation_id)
    answered = time.monotonic()
    assert answer.status_code == 202
    (callback,) = sandbox.receiver.of(correlation_id)
    assert callback.at < answered
    sandbox.wait_until_at_rest()
    assert len(sandbox.receiver.of(correlation_id)) == 1


def test_callback_that_never_comes_leaves_the_state_to_be_asked_for(
    sandbox: RunningSandbox,
) -> None:
    correlation_id = sandbox.new_id(Misbehaviour.NO_CALLBACK)
    assert sandbox.disburse(correlation_id).status_code == 202
    eventually(lambda: sandbox.state_of(correlation_id).get("transactionStatus") == "completed")
    sandbox.wait_until_at_rest()
    assert sandbox.receiver.of(correlation_id) == []


def test_synchronous_provider_answers_with_the_outcome(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(synchronous=True, misbehave=0.0)
    correlation_id = sandbox.new_id()
    answer = sandbox.disburse(correlation_id)
    assert answer.status_code == 201
    assert answer.json()["transactionStatus"] == "completed"
    assert sandbox.disburse(correlation_id).content == answer.content
    party = sandbox.missing_account(AccountState.UNKNOWN, at_once=False)
    assert sandbox.disburse(sandbox.new_id(), creditParty=party).status_code == 404
    summary = sandbox.wait_until_at_rest()
    assert (summary["count"], summary["rejected"]) == (1, 1)
    assert sandbox.receiver.callbacks == []
