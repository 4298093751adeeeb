"""A callback is stored before it is answered, and applied once."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.payments.webhooks import applying
from services.payments.webhooks.repository import instructions_here
from shared.ids import instruction_id as id_of_instruction
from shared.ids import new_id
from shared.signatures import sign
from shared.version import API_PREFIX
from tests.payments.conftest import World, entitlements
from tests.payments.steps import REJECTED, Steps
from tests.server import eventually


def transaction(instruction_id: UUID, **changes: Any) -> bytes:
    body = {
        "transactionReference": "mekong-0000000042",
        "transactionStatus": "completed",
        "amount": "96000",
        "currency": "KHR",
        "creditParty": [{"key": "msisdn", "value": "+85512000000"}],
        "requestingOrganisationTransactionReference": str(instruction_id),
    }
    return json.dumps({**body, **changes}).encode()


def failure(instruction_id: UUID, category: str = "businessRule") -> bytes:
    parameter = {
        "key": "requestingOrganisationTransactionReference",
        "value": str(instruction_id),
    }
    body = {"errorCategory": category, "errorCode": "incorrectState"}
    return json.dumps({**body, "errorParameters": [parameter]}).encode()


class Provider:
    """Calls back as a provider does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._secrets = {
            code: secrets[0].get_secret_value()
            for code, secrets in world.settings.provider_webhook_secrets.items()
        }

    async def call_back(
        self,
        body: bytes,
        *,
        webhook_id: str | None = None,
        code: str = "mekong",
        signed: bytes | None = None,
        age_seconds: int = 0,
    ) -> httpx.Response:
        message_id = webhook_id or f"msg_{new_id()}"
        timestamp = int(time.time()) - age_seconds
        signature = sign(
            self._secrets[code], message_id=message_id, timestamp=timestamp, body=signed or body
        )
        async with httpx.AsyncClient(base_url=self._world.service.url + API_PREFIX) as client:
            return await client.put(
                f"/providers/{code}/callbacks",
                content=body,
                headers={
                    "webhook-id": message_id,
                    "webhook-timestamp": str(timestamp),
                    "webhook-signature": signature,
                },
            )


@pytest.fixture
def provider(world: World) -> Provider:
    return Provider(world)


async def sent(world: World, steps: Steps, count: int = 1) -> list[UUID]:
    """Instructions that are with the provider mekong."""
    await world.fund(10_000_000)
    await world.registry.announce(entitlements(count, provider="mekong"))
    await steps.raise_announced()
    return [order.instruction_id for order in await steps.claim()]


async def statuses(world: World) -> list[str]:
    return [webhook["status"] for webhook in (await world.get("/webhooks"))["items"]]


async def test_a_duplicate_callback_posts_the_ledger_once(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    for webhook_id in ("same", "same", "other"):
        answer = await provider.call_back(transaction(instruction_id), webhook_id=webhook_id)
        assert (answer.status_code, answer.content) == (204, b"")
    assert await steps.step("apply-callbacks") == 2
    assert await statuses(world) == ["applied", "applied"]
    history = await world.get(f"/instructions/{instruction_id}")
    assert history["status"] == "settled"
    assert history["transaction_reference"] == "mekong-0000000042"
    assert [transfer["code"] for transfer in history["transfers"]].count("settled") == 1
    assert (
        await provider.call_back(transaction(instruction_id), webhook_id="same")
    ).status_code == 204
    assert await steps.step("apply-callbacks") == 0
    await world.proofs()


async def test_a_callback_that_the_provider_did_not_sign_is_not_stored(
    world: World, provider: Provider
) -> None:
    body = transaction(new_id())
    forged = await provider.call_back(body, signed=b"{}")
    assert forged.status_code == 401
    assert forged.headers["content-type"] == "application/problem+json"
    assert forged.json()["title"] == "The message's signature does not hold"
    assert forged.json()["type"] == "urn:sangkroh:problem:signature-refused"
    assert (await provider.call_back(body, age_seconds=3_600)).status_code == 401
    assert (await provider.call_back(b"x" * 70_000)).status_code == 413
    unknown = await world.client.put("/providers/nowhere/callbacks", content=body)
    assert unknown.status_code == 404
    assert await statuses(world) == []


async def test_many_callbacks_at_once_are_all_stored(
    world: World, steps: Steps, provider: Provider
) -> None:
    ids = await sent(world, steps, 30)
    answers = await asyncio.gather(
        *(
            provider.call_back(
                transaction(instruction_id, transactionReference=f"of-{instruction_id}")
            )
            for instruction_id in ids
        )
    )
    assert {answer.status_code for answer in answers} == {204}
    assert await steps.step("apply-callbacks") == 30
    assert await world.count("settled") == 30


async def test_a_callback_that_cannot_be_stored_is_not_acknowledged(
    world: World, provider: Provider, owner: asyncpg.Connection
) -> None:
    body = transaction(new_id())
    await owner.execute("ALTER TABLE payments.webhook RENAME TO elsewhere")
    refused = await provider.call_back(body, webhook_id="once")
    assert refused.status_code == 503
    await owner.execute("ALTER TABLE payments.elsewhere RENAME TO webhook")
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    again = [(await provider.call_back(body, webhook_id="once")).status_code for _ in range(2)]
    assert again[-1] == 204
    assert await statuses(world) == ["received"]


async def test_a_callback_that_matches_nothing_is_kept_and_matched_later(
    world: World, steps: Steps, provider: Provider, owner: asyncpg.Connection
) -> None:
    [instruction_id] = await sent(world, steps)
    later = new_id()
    await provider.call_back(transaction(later))
    await steps.step("apply-callbacks")
    [unmatched] = (await world.get("/webhooks", status="unmatched"))["items"]
    assert unmatched["instruction_id"] == str(later)
    assert await steps.step("match-callbacks") == 0
    # As after a restore: the instruction turns up under the id that the provider knows.
    for table, column in (
        ("instruction", "id"),
        ("instruction_move", "instruction_id"),
    ):
        await owner.execute(
            f"UPDATE payments.{table} SET {column} = $1 WHERE {column} = $2", later, instruction_id
        )
    assert await steps.step("match-callbacks") == 1
    assert await steps.step("apply-callbacks") == 1
    assert await statuses(world) == ["applied"]
    assert (await world.get(f"/instructions/{later}"))["status"] == "settled"
    await world.proofs()


async def test_what_is_not_a_callback_is_kept_as_malformed(
    world: World, steps: Steps, provider: Provider
) -> None:
    for body in (b"", b"[]", b"{}", b"\xff", b'{"transactionStatus": "completed"}'):
        assert (await provider.call_back(body)).status_code == 204
    assert await steps.step("apply-callbacks") == 5
    assert await statuses(world) == ["malformed"] * 5


async def test_a_provider_speaks_for_its_own_payments_only(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(transaction(instruction_id), code="tonle")
    await steps.step("apply-callbacks")
    assert await statuses(world) == ["unmatched"]
    assert await steps.step("match-callbacks") == 0
    assert await world.count("sending") == 1


async def test_a_failure_rejects_and_a_later_success_is_held(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(failure(instruction_id))
    await steps.step("apply-callbacks")
    assert (await world.get(f"/instructions/{instruction_id}"))["reason"] == "incorrectState"
    await provider.call_back(transaction(instruction_id))
    await steps.step("apply-callbacks")
    held = await world.get(f"/instructions/{instruction_id}")
    assert (held["status"], held["reason"]) == ("held", "late_success")
    [alarm] = (await world.get("/alarms"))["items"]
    assert (alarm["kind"], alarm["instruction_id"]) == ("late_success", str(instruction_id))
    await world.proofs()


async def test_a_failure_after_the_success_raises_an_alarm_and_changes_nothing(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(transaction(instruction_id))
    await provider.call_back(failure(instruction_id))
    await steps.step("apply-callbacks")
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "settled"
    [alarm] = (await world.get("/alarms"))["items"]
    assert alarm["kind"] == "contradiction"


@pytest.mark.parametrize(
    "changes", [{"amount": "96001"}, {"currency": "USD"}, {"amount": "960"}, {"amount": None}]
)
async def test_another_payment_than_we_ordered_is_held(
    world: World, steps: Steps, provider: Provider, changes: dict[str, Any]
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(transaction(instruction_id, **changes))
    await steps.step("apply-callbacks")
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "held"
    [alarm] = (await world.get("/alarms"))["items"]
    assert alarm["kind"] == "different_payment"
    numbers = await world.proofs()
    assert numbers["money_with_providers_is_accounted_for"][0]["suspense_minor"] == 96_000


async def test_an_undecided_failure_only_asks_for_an_inquiry(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    await provider.call_back(failure(instruction_id, category="internal"))
    await steps.step("apply-callbacks")
    assert await statuses(world) == ["applied"]
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "unknown"


async def test_a_late_success_that_the_float_cannot_bear_waits_and_is_applied_later(
    world: World, steps: Steps, provider: Provider, owner: asyncpg.Connection
) -> None:
    await world.fund(10_000_000, prefund_minor=96_000)
    await world.registry.announce(entitlements(2, provider="mekong"))
    await steps.raise_announced()
    [first] = await steps.claim()
    await steps.hear([(first.instruction_id, REJECTED)])
    assert len(await steps.claim()) == 1
    await provider.call_back(transaction(first.instruction_id))
    await steps.step("apply-callbacks")
    assert await statuses(world) == ["applied"]
    assert await world.count("rejected") == 1
    kinds = [alarm["kind"] for alarm in (await world.get("/alarms"))["items"]]
    assert sorted(kinds) == ["cannot_post", "late_success"]
    await world.proofs()
    await world.post("/providers/mekong/prefundings", {"amount_minor": 96_000, "reference": "x"})
    assert await steps.step("apply-answers") == 0
    await owner.execute("UPDATE payments.answer SET try_at = now() WHERE applied_at IS NULL")
    assert await steps.step("apply-answers") == 1
    assert await world.count("held") == 1
    await world.proofs()


async def test_one_that_cannot_be_applied_does_not_keep_the_others(
    world: World,
    steps: Steps,
    provider: Provider,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [instruction_id] = await sent(world, steps)
    unforeseen = new_id()
    secret = "+85512345678"

    async def fail(session: Any, spoken_of: Any) -> Any:
        if unforeseen in [instruction_id for instruction_id, _ in spoken_of]:
            raise ValueError(secret)
        return await instructions_here(session, spoken_of)

    monkeypatch.setattr(applying, "instructions_here", fail)
    await provider.call_back(transaction(unforeseen))
    await provider.call_back(transaction(instruction_id))
    await provider.call_back(b"{}")
    while await steps.step("apply-callbacks"):
        pass
    assert await statuses(world) == ["blocked", "applied", "malformed"]
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "settled"
    [blocked] = (await world.get("/webhooks", status="blocked"))["items"]
    assert blocked["reason"].startswith("ValueError at ")
    assert secret not in blocked["reason"]

    monkeypatch.undo()
    await owner.execute("UPDATE payments.webhook SET worked_at = now() - interval '1 minute'")
    assert await steps.step("match-callbacks") == 1
    await steps.step("apply-callbacks")
    assert await statuses(world) == ["unmatched", "applied", "malformed"]


async def test_what_a_provider_appends_to_its_callback_does_not_lose_it(world: World) -> None:
    """Refused for its signature, as any stranger's, and not for its query."""
    answer = await world.client.put("/providers/mekong/callbacks?ts=1", content=b"{}")
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:sangkroh:problem:signature-refused"


async def test_nobody_is_paid_again_while_a_late_success_waits_to_be_recorded(
    world: World, steps: Steps, provider: Provider
) -> None:
    await world.fund(10_000_000, prefund_minor=96_000)
    [owed, other] = entitlements(2, provider="mekong")
    first = await world.registry.announce([owed, other])
    await steps.raise_announced()
    [order] = await steps.claim()
    await steps.hear([(order.instruction_id, REJECTED)])
    assert len(await steps.claim()) == 1
    await provider.call_back(transaction(order.instruction_id))
    await steps.step("apply-callbacks")
    [late] = [
        entitlement
        for entitlement in (owed, other)
        if order.instruction_id == id_of_instruction(entitlement.entitlement_id)
    ]
    again = await world.registry.announce(
        [replace(late, provider="tonle", announcement=2)], activation_id=first.activation_id
    )
    await steps.raise_announced()
    [aside] = (await world.get(f"/chunks/{again.chunk_id}/set-aside"))["items"]
    assert aside["reason"] == "undecided"
    assert await steps.claim("tonle") == []


async def differing(world: World) -> list[Any]:
    listed: list[Any] = (await world.get("/webhooks", only_differing=True))["items"]
    return listed


async def test_an_id_that_comes_again_with_another_body_is_an_alarm(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    first, other = failure(instruction_id), transaction(instruction_id)
    for body in (first, first):
        assert (await provider.call_back(body, webhook_id="once")).status_code == 204
    assert await differing(world) == []
    # At the same moment, and later: whichever the writer takes together.
    answers = await asyncio.gather(
        *(provider.call_back(body, webhook_id="once") for body in (other, first, other))
    )
    assert {answer.status_code for answer in answers} == {204}
    [webhook] = await differing(world)
    assert webhook["webhook_id"] == "once"
    # What came first is worked first.
    assert await steps.step("repeated-callbacks") == 0
    await steps.step("apply-callbacks")
    assert await steps.step("repeated-callbacks") == 1
    assert await steps.step("repeated-callbacks") == 0
    [alarm] = (await world.get("/alarms"))["items"]
    assert (alarm["kind"], alarm["instruction_id"]) == ("callback_differs", str(instruction_id))
    # The second body changed nothing.
    assert (await world.get(f"/instructions/{instruction_id}"))["status"] == "rejected"
    cleared = {"reason": "The provider's engineer says that the first holds."}
    await world.post(f"/alarms/{alarm['number']}/clearance", cleared, status=200)
    assert (await world.get("/alarms", status="open"))["items"] == []
    await world.proofs()


async def test_two_bodies_of_one_id_that_come_together_are_told_apart(
    world: World, steps: Steps, provider: Provider
) -> None:
    [instruction_id] = await sent(world, steps)
    bodies = [failure(instruction_id), transaction(instruction_id)]
    await asyncio.gather(*(provider.call_back(body, webhook_id="both") for body in bodies * 5))
    assert len(await differing(world)) == 1
    assert len((await world.get("/webhooks"))["items"]) == 1


async def test_a_callback_wakes_the_worker(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS_REST_SECONDS", "90")
    provider = Provider(world)
    async with world.working():
        for nth in range(2):
            webhook_id = f"msg_{nth}"
            answer = await provider.call_back(transaction(new_id()), webhook_id=webhook_id)
            assert answer.status_code == 204

            async def applied(webhook_id: str = webhook_id) -> bool:
                status = await owner.fetchval(
                    "SELECT status::text FROM payments.webhook WHERE webhook_id = $1", webhook_id
                )
                return bool(status != "received")

            # The first perhaps came before the loop had rested.
            await eventually(applied)
            await asyncio.sleep(0.5)
