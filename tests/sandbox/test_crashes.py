"""The judge survives: what was booked stays, and what was begun ends."""

import random
import threading
import time

import httpx
import pytest

from sandbox.misbehaviour import Misbehaviour
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.running import RunningSandbox, eventually

pytestmark = pytest.mark.long


def test_payment_survives_sigkill_between_booking_and_answer(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    correlation_id = sandbox.new_id(Misbehaviour.SLOW_ANSWER)
    failures: list[httpx.TransportError] = []

    def ask() -> None:
        try:
            with httpx.Client() as client:
                client.post(
                    sandbox.options.base_url("mekong") + "/transactions/type/disbursement",
                    headers={"X-API-Key": "mekong-key", "X-CorrelationID": correlation_id},
                    json=sandbox.request_body(correlation_id),
                )
        except httpx.TransportError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: sandbox.booked(correlation_id))
    sandbox.kill()
    asking.join()
    assert failures, "the answer left before the kill"
    sandbox.start()
    assert len(sandbox.booked(correlation_id)) == 1
    assert sandbox.disburse(correlation_id).status_code == 202
    eventually(lambda: sandbox.state_of(correlation_id).get("transactionStatus") == "completed")
    assert len(sandbox.booked(correlation_id)) == 1


def test_pending_payment_is_completed_after_sigkill(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(completion_delay_ms=(2_000, 2_000))
    correlation_id = sandbox.new_id()
    sandbox.disburse(correlation_id)
    assert sandbox.state_of(correlation_id)["status"] == "pending"
    assert sandbox.summary()["pending"] == 1
    sandbox.kill()
    assert not sandbox.receiver.of(correlation_id), "it was completed before the kill"
    sandbox.start()
    eventually(lambda: sandbox.receiver.of(correlation_id))
    assert sandbox.state_of(correlation_id)["transactionStatus"] == "completed"


def test_refusals_before_booking_are_counted_over_sigkill(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    correlation_id = sandbox.new_id(Misbehaviour.ERROR_BEFORE_BOOKING)
    while sandbox.temperament.conduct(correlation_id).refusals != 2:
        correlation_id = sandbox.new_id(Misbehaviour.ERROR_BEFORE_BOOKING)
    assert sandbox.disburse(correlation_id).status_code in {500, 503}
    sandbox.kill()
    sandbox.start()
    assert sandbox.disburse(correlation_id).status_code in {500, 503}
    assert sandbox.disburse(correlation_id).status_code == 202


def test_no_answered_payment_is_lost_or_doubled_by_kills_at_random_moments(
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox(misbehave=4.0, missing_account_share=0.0, completion_delay_ms=(0, 50))
    moments = random.Random(11)
    quick = [behaviour for behaviour in Misbehaviour if behaviour is not Misbehaviour.SLOW_ANSWER]
    ids = [sandbox.new_id(behaviour) for behaviour in (None, *quick) for _ in range(60)]
    moments.shuffle(ids)
    unanswered = list(ids)
    answered: list[str] = []
    clients = [
        threading.Thread(target=_insist, args=(sandbox, unanswered, answered)) for _ in range(4)
    ]
    for client in clients:
        client.start()
    for progress in sorted(moments.sample(range(20, 400), 3)):
        _wait_for(answered, count=progress)
        sandbox.kill()
        before = set(answered)
        sandbox.start()
        assert before <= {row["correlation_id"] for row in sandbox.book()}
    for client in clients:
        client.join()
    summary = sandbox.wait_until_at_rest()
    assert sorted(row["correlation_id"] for row in sandbox.book()) == sorted(ids)
    assert summary["totals"] == {"KHR": str(96_000 * len(ids))}
    assert summary["duplicate_references"] == 0
    withheld = 2 * 60
    assert summary["callbacks"] == {"delivered": len(ids) - withheld, "withheld": withheld}
    called_back = {callback.headers["x-correlationid"] for callback in sandbox.receiver.callbacks}
    assert len(called_back) == len(ids) - withheld


def _wait_for(answered: list[str], *, count: int) -> None:
    eventually(lambda: len(answered) >= count)


def _insist(sandbox: RunningSandbox, unanswered: list[str], answered: list[str]) -> None:
    """A client that sends every request until it is answered with 202."""
    headers = {"X-API-Key": "mekong-key", "X-Callback-URL": sandbox.receiver.url}
    url = sandbox.options.base_url("mekong") + "/transactions/type/disbursement"
    with httpx.Client(timeout=5) as client:
        while unanswered:
            try:
                correlation_id = unanswered.pop()
            except IndexError:
                return
            status = 0
            while status != 202:
                try:
                    status = client.post(
                        url,
                        headers={**headers, "X-CorrelationID": correlation_id},
                        json=sandbox.request_body(correlation_id),
                    ).status_code
                except httpx.TransportError:
                    time.sleep(0.01)
            answered.append(correlation_id)


def test_sigterm_ends_cleanly_and_keeps_the_book_in_one_file(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    correlation_id = sandbox.new_id()
    sandbox.disburse(correlation_id)
    assert sandbox.terminate() == 0
    assert [path.name for path in sandbox.options.storage.parent.iterdir()] == [
        sandbox.options.storage.name
    ]
    sandbox.start()
    assert len(sandbox.booked(correlation_id)) == 1
