"""Where is my money: told from every state a payment can be in, in words, in both languages."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from services.payments.histories.wording import told
from services.payments.instructions.states import Status
from services.payments.rounds.states import RoundStatus
from shared.ids import new_id
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, SILENCE, Steps, paid


def is_khmer(text: str) -> bool:
    return any("\u1780" <= letter <= "\u17ff" for letter in text)


@pytest.mark.parametrize(("status", "round_status"), list(product(Status, RoundStatus)))
@pytest.mark.parametrize("reason", [None, "timeout", "aCodeOfTheirs"])
def test_every_state_has_words_in_both_languages(
    status: Status, round_status: RoundStatus, reason: str | None
) -> None:
    said = told(status, reason, round_status=round_status)
    assert said.en.endswith(".")
    assert is_khmer(said.km)
    concerns = status not in (Status.READY, Status.SENDING, Status.SETTLED)
    assert ("aCodeOfTheirs" in said.en) == (concerns and reason == "aCodeOfTheirs")


async def history(world: World, entitlement_id: UUID) -> Any:
    return await world.get(f"/entitlements/{entitlement_id}/history")


async def test_it_is_told_from_the_announcement_to_the_receipt(world: World, steps: Steps) -> None:
    [owed] = entitlements(1, provider="mekong")
    page = f"/entitlements/{owed.entitlement_id}"
    missing = await world.client.get(f"{page}/history")
    assert missing.status_code == 404
    assert "the registry" in missing.json()["detail"]

    await world.registry.announce([owed])
    await steps.raise_announced()
    waiting = await history(world, owed.entitlement_id)
    assert waiting["said"]["en"].startswith("It waits until its fund has money")
    assert [step["status"] for step in waiting["attempts"][0]["steps"]] == ["ready"]

    await world.fund(10_000_000)
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, SILENCE)])
    unknown = await history(world, owed.entitlement_id)
    assert unknown["said"]["en"] == (
        "Whether it was paid is not known yet; the provider is being asked. The provider did not "
        "answer in time."
    )
    refused = await world.client.get(f"{page}/receipt")
    assert refused.status_code == 409
    assert "it is not paid. Whether it was paid is not known yet" in refused.json()["detail"]

    await steps.hear([(order.instruction_id, paid(order.instruction_id, reference="MP-<7>"))])
    settled = await history(world, owed.entitlement_id)
    assert (settled["is_paid"], settled["said"]["en"]) == (True, "It was paid.")
    [attempt] = settled["attempts"]
    assert [step["status"] for step in attempt["steps"]] == [
        "ready",
        "sending",
        "unknown",
        "settled",
    ]
    assert attempt["steps"] == sorted(attempt["steps"], key=lambda step: str(step["at"]))
    receipt = await world.client.get(f"{page}/receipt")
    assert receipt.status_code == 200
    assert receipt.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in receipt.headers["Content-Security-Policy"]
    assert "96,000 KHR" in receipt.text
    assert "៩៦,០០០ រៀល" in receipt.text
    # What a provider wrote is no markup.
    assert "MP-&lt;7&gt;" in receipt.text
    assert "MP-<7>" not in receipt.text
    assert owed.account not in receipt.text


async def test_the_attempt_that_paid_decides_however_many_failed(
    world: World, steps: Steps
) -> None:
    await world.fund(10_000_000)
    [owed] = entitlements(1, provider="mekong")
    await world.registry.announce([owed])
    await steps.raise_announced()
    [first] = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED)])
    rejected = await history(world, owed.entitlement_id)
    assert rejected["said"]["en"].startswith("The provider did not pay it. The account cannot")
    await world.post(
        f"/instructions/{first.instruction_id}/attempts", {"reason": "The account is mended."}
    )
    [second] = await steps.claim()
    await steps.hear([(second.instruction_id, paid(second.instruction_id))])
    told_now = await history(world, owed.entitlement_id)
    assert [attempt["status"] for attempt in told_now["attempts"]] == ["rejected", "settled"]
    assert (told_now["is_paid"], told_now["said"]["en"]) == (True, "It was paid.")


async def test_a_history_of_nothing_is_not_found(world: World) -> None:
    answer = await world.client.get(f"/entitlements/{new_id()}/receipt")
    assert answer.status_code == 404
