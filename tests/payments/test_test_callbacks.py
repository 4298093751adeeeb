"""The test button of a provider's engineer: what would be made of a callback, and nothing done."""

import time
from typing import Any

import httpx
import orjson
import pytest

from services.payments.webhooks.schemas import Verdict
from shared.ids import new_id
from shared.signatures import sign
from tests.payments.conftest import World
from tests.payments.steps import Steps
from tests.payments.test_webhooks import Provider, failure, provider, sent, transaction

__all__ = ["provider"]


def engineer(world: World, code: str = "mekong", *scopes: str) -> httpx.AsyncClient:
    scopes = scopes or ("callbacks:read",)
    return world.service.client(*scopes, subject=f"provider:{code}")


def signed(world: World, body: bytes, *, secret: str | None = None) -> dict[str, str]:
    own = world.settings.provider_webhook_secrets["mekong"][0].get_secret_value()
    message_id, timestamp = f"msg_{new_id()}", int(time.time())
    signature = sign(secret or own, message_id=message_id, timestamp=timestamp, body=body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


async def tried(world: World, body: bytes, headers: dict[str, str]) -> Any:
    async with engineer(world) as client:
        answer = await client.post(
            "/providers/mekong/test-callbacks", content=body, headers=headers
        )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_it_says_how_a_callback_is_read_and_does_nothing(world: World, steps: Steps) -> None:
    [instruction_id] = await sent(world, steps)
    body = transaction(instruction_id)
    said = await tried(world, body, signed(world, body))
    assert (said["signature"], said["verdict"]) == ("good", Verdict.WOULD_BE_APPLIED)
    assert (said["reads_as"], said["instruction_id"]) == ("settled", str(instruction_id))
    assert (said["amount_minor"], said["currency"]) == (96_000, "KHR")
    refused = failure(instruction_id)
    said = await tried(world, refused, signed(world, refused))
    assert (said["reads_as"], said["reason"]) == ("rejected", "incorrectState")
    # What would be held, or be an alarm, is not how a callback is to look.
    less = transaction(instruction_id, amount="95999")
    said = await tried(world, less, signed(world, less))
    assert (said["verdict"], said["amount_minor"]) == (Verdict.WOULD_BE_APPLIED, 95_999)
    assert "this one is ordered with 96,000 minor units" in said["what_to_do"]
    # Nothing was stored, and the payment is as it was.
    assert (await world.get("/webhooks"))["items"] == []
    assert await steps.step("apply-callbacks") == 0
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "sending"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (transaction(new_id()), Verdict.WOULD_BE_UNMATCHED),
        (b"{}", Verdict.WOULD_BE_MALFORMED),
        (b"\xff\x00 no JSON", Verdict.WOULD_BE_MALFORMED),
        (orjson.dumps([1, 2]), Verdict.WOULD_BE_MALFORMED),
    ],
)
async def test_it_says_what_is_wrong_with_one(world: World, body: bytes, verdict: Verdict) -> None:
    said = await tried(world, body, signed(world, body))
    assert said["verdict"] == verdict
    assert said["what_to_do"].startswith("Send ")


async def test_a_rejection_of_what_was_paid_is_told_as_an_alarm(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(transaction(instruction_id), webhook_id="paid")
    await steps.step("apply-callbacks")
    body = failure(instruction_id)
    said = await tried(world, body, signed(world, body))
    assert said["what_to_do"].startswith("Send no rejection of a payment that you said was paid")


async def test_whoever_cannot_sign_is_not_told_which_payments_there_are(
    world: World, steps: Steps
) -> None:
    [instruction_id] = await sent(world, steps)
    answers = []
    for about in (instruction_id, new_id()):
        body = transaction(about)
        said = await tried(world, body, signed(world, body + b" "))
        assert said["signature"] != "good"
        answers.append((said["verdict"], said["signature"], said["what_to_do"]))
    assert answers[0] == answers[1]
    assert answers[0][0] == Verdict.WOULD_BE_REFUSED
    unsigned = await tried(world, b"{}", {})
    assert unsigned["verdict"] == Verdict.WOULD_BE_REFUSED


async def test_a_provider_sees_its_own_callbacks_and_no_others(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(transaction(instruction_id), webhook_id="ours")
    await provider.call_back(transaction(new_id()), webhook_id="theirs", code="tonle")
    await steps.step("apply-callbacks")
    async with engineer(world) as client:
        own = (await client.get("/providers/mekong/callbacks")).json()["items"]
        assert [(each["webhook_id"], each["status"]) for each in own] == [("ours", "applied")]
        assert (await client.get("/providers/tonle/callbacks")).status_code == 403
        assert (
            await client.post("/providers/tonle/test-callbacks", content=b"{}")
        ).status_code == (403)
    async with world.service.client("callbacks:read") as officer:
        assert (await officer.get("/providers/mekong/callbacks")).status_code == 403
    async with engineer(world, "mekong", "payments:read") as without:
        assert (await without.get("/providers/mekong/callbacks")).status_code == 403
