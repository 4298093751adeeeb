"""Callbacks are signed, tried again a bounded number of times, and carry on after a restart."""

import sqlite3

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sandbox.postman import RETRY_DELAYS_MS
from tests.sandbox.conftest import PROVIDERS, StartSandbox
from tests.sandbox.running import RunningSandbox, eventually


def test_callback_is_signed_over_its_very_bytes(sandbox: RunningSandbox) -> None:
    correlation_id = sandbox.new_id()
    sandbox.disburse(correlation_id, descriptionText="ជំនួយទឹកជំនន់")
    eventually(lambda: sandbox.receiver.of(correlation_id))
    (callback,) = sandbox.receiver.of(correlation_id)
    secret = Webhook(PROVIDERS[0].webhook_secret)
    body = secret.verify(callback.raw, dict(callback.headers))
    assert body["requestingOrganisationTransactionReference"] == correlation_id
    assert body["transactionStatus"] == "completed"
    assert callback.path == "/providers/mekong/callbacks"
    with pytest.raises(WebhookVerificationError):
        secret.verify(callback.raw + b" ", dict(callback.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(PROVIDERS[1].webhook_secret).verify(callback.raw, dict(callback.headers))


@pytest.mark.parametrize("status", [200, 401, 500])
def test_callback_not_taken_with_204_is_sent_again_under_its_id(
    sandbox: RunningSandbox, status: int
) -> None:
    correlation_id = sandbox.new_id()
    sandbox.receiver.status = status
    sandbox.disburse(correlation_id)
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 2)
    sandbox.receiver.status = 204
    eventually(lambda: len(sandbox.receiver.of(correlation_id)) == 3)
    sandbox.wait_until_at_rest()
    callbacks = sandbox.receiver.of(correlation_id)
    assert len(callbacks) == 3
    assert len({callback.webhook_id for callback in callbacks}) == 1
    for callback in callbacks:
        Webhook(PROVIDERS[0].webhook_secret).verify(callback.raw, dict(callback.headers))


def test_undelivered_callback_is_delivered_after_sigkill(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    correlation_id = sandbox.new_id()
    sandbox.receiver.status = 503
    sandbox.disburse(correlation_id)
    eventually(lambda: sandbox.receiver.of(correlation_id))
    sandbox.kill()
    sandbox.receiver.status = 204
    sandbox.start()
    assert sandbox.wait_until_at_rest()["callbacks"] == {"delivered": 1}
    callbacks = sandbox.receiver.of(correlation_id)
    assert len(callbacks) >= 2
    assert len({callback.webhook_id for callback in callbacks}) == 1


def test_callback_is_abandoned_when_its_retries_are_used_up(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    correlation_id = sandbox.new_id()
    sandbox.receiver.status = 503
    sandbox.disburse(correlation_id)
    eventually(lambda: sandbox.receiver.of(correlation_id))
    sandbox.terminate()
    before = len(sandbox.receiver.callbacks)
    with sqlite3.connect(sandbox.options.storage) as connection:
        connection.execute(
            "UPDATE payment SET callback_attempts = ?, callback_at = 0", (len(RETRY_DELAYS_MS),)
        )
    connection.close()
    sandbox.start()
    assert sandbox.wait_until_at_rest()["callbacks"] == {"abandoned": 1}
    assert len(sandbox.receiver.callbacks) == before + 1
    assert sandbox.state_of(correlation_id)["transactionStatus"] == "completed"
