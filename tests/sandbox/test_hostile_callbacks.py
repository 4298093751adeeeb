"""What a hostile provider does to callbacks, and how each is told."""

import time
from datetime import UTC, datetime

import orjson
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sandbox.hostility import Hostility
from sandbox.rumours import old_secret
from tests.sandbox.conftest import PROVIDERS
from tests.sandbox.hostile import WHILE_SECONDS, Hostile, an_id
from tests.sandbox.running import RunningSandbox, eventually

pytestmark = pytest.mark.long


def moment(timestamp: str) -> datetime:
    return datetime.fromtimestamp(int(timestamp), UTC)


def verified(sandbox: RunningSandbox, correlation_id: str) -> list[dict[str, object]]:
    """What was told rightly signed."""
    secret = Webhook(PROVIDERS[0].webhook_secret)
    return [
        secret.verify(callback.raw, dict(callback.headers))
        for callback in sandbox.receiver.of(correlation_id)
    ]


def both_told(sandbox: RunningSandbox, correlation_id: str) -> list[dict[str, object]]:
    """What two callbacks say, in the order in which they came."""
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    return verified(sandbox, correlation_id)


def test_callbacks_tripled_under_new_ids(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_DOUBLED)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    assert len({callback.webhook_id for callback in sandbox.receiver.callbacks}) == 3
    assert len(sandbox.booked(correlation_id)) == 1


def test_callback_before_the_response(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_BEFORE_RESPONSE)
    correlation_id = an_id(sandbox)
    assert sandbox.disburse(correlation_id).status_code == 202
    (told,) = verified(sandbox, correlation_id)
    assert told["transactionStatus"] == "completed"


def test_contradictory_callbacks_in_either_order(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_CONTRADICTORY)
    first_words = set()
    for _ in range(12):
        correlation_id = an_id(sandbox)
        sandbox.disburse(correlation_id)
        said = ["errorCode" in told for told in both_told(sandbox, correlation_id)]
        assert sorted(said) == [False, True]
        first_words.add(said[0])
        assert len(sandbox.booked(correlation_id)) == 1
    assert first_words == {False, True}


def test_callbacks_for_another_providers_payment(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_FOR_OTHER_PROVIDER)
    victim, correlation_id = an_id(sandbox), an_id(sandbox)
    sandbox.disburse(victim, provider=1)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    about = [orjson.dumps(told) for told in verified(sandbox, correlation_id)]
    assert sum(victim.encode() in told for told in about) == 2


def test_callbacks_of_an_unknown_id(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_OF_UNKNOWN_ID)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    about = [orjson.dumps(told) for told in verified(sandbox, correlation_id)]
    assert sum(correlation_id.encode() in told for told in about) == 1


def test_malformed_callbacks_that_are_signed(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_MALFORMED)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 8)
    secret = Webhook(PROVIDERS[0].webhook_secret)
    unreadable = 0
    for callback in sandbox.receiver.of(correlation_id):
        signature = secret.sign(
            msg_id=callback.webhook_id,
            timestamp=moment(callback.headers["webhook-timestamp"]),
            data=callback.raw.decode(),
        )
        assert callback.headers["webhook-signature"] == signature
        try:
            orjson.loads(callback.raw)
        except orjson.JSONDecodeError:
            unreadable += 1
    assert unreadable >= 2


def test_a_callback_signed_with_an_old_secret(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_WITH_OLD_SECRET)
    correlation_id = an_id(sandbox)
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    (forged,) = [
        callback
        for callback in sandbox.receiver.of(correlation_id)
        if callback.webhook_id.endswith("forged")
    ]
    with pytest.raises(WebhookVerificationError):
        Webhook(PROVIDERS[0].webhook_secret).verify(forged.raw, dict(forged.headers))
    told = Webhook(old_secret(PROVIDERS[0].webhook_secret)).verify(forged.raw, dict(forged.headers))
    assert told["errorCode"] == "incorrectState"


def test_a_very_late_callback(hostile: Hostile) -> None:
    sandbox = hostile(Hostility.CALLBACK_VERY_LATE)
    correlation_id = an_id(sandbox)
    began = time.monotonic()
    sandbox.disburse(correlation_id)
    assert sandbox.state_of(correlation_id)["status"] == "pending"
    eventually(lambda: sandbox.receiver.of(correlation_id))
    assert time.monotonic() - began >= WHILE_SECONDS
    assert verified(sandbox, correlation_id)[0]["transactionStatus"] == "completed"
