"""The real client against the real sandbox: whole chunks paid in batches, and its book judges."""

from collections import Counter
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.payments.batch_world import judge, pay, set_for_batches, summary
from tests.payments.conftest import Sandbox, StartSandbox, World, entitlements
from tests.payments.steps import Steps
from tests.server import eventually

pytestmark = pytest.mark.long


@pytest.fixture(params=[True, False], ids=["two-steps", "one-step"])
def two_steps(request: pytest.FixtureRequest) -> bool:
    """Whether a batch is taken first, and paid once it is approved."""
    return bool(request.param)


@pytest.fixture
def environment(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, two_steps: bool
) -> dict[str, str]:
    return set_for_batches(environment, monkeypatch, batch_lines=40, batch_two_steps=two_steps)


async def test_a_whole_chunk_is_paid_in_batches(
    world: World, start_sandbox: StartSandbox, two_steps: bool
) -> None:
    sandbox = start_sandbox(missing_account_share=0.1)
    announced = await pay(world, 200)
    ends = await judge(world, sandbox)
    assert ends.keys() == {"settled", "rejected"}
    assert sum(ends.values()) == 200
    assert summary(sandbox)["batches"] == {"completed": 6}
    reasons = {reason for _, reason in (await world.outcomes(announced)).values() if reason}
    assert reasons == {"identifierError", "incorrectState"}

    async def closed() -> bool:
        """The last line of a batch ends before the batch does."""
        return all(batch["status"] == "closed" for batch in (await world.get("/batches"))["items"])

    async with world.working():
        await eventually(closed)
    for batch in (await world.get("/batches"))["items"]:
        assert (batch["status"], batch["reason"]) == ("closed", None)
        assert batch["completions_read"] + batch["rejections_read"] == batch["line_count"]
        moves = (await world.get(f"/batches/{batch['id']}"))["moves"]
        assert ("approving" in {move["to_status"] for move in moves}) is two_steps


async def test_callbacks_about_batches_are_understood(
    world: World, start_sandbox: StartSandbox, two_steps: bool
) -> None:
    sandbox = start_sandbox()
    await pay(world, 20)
    assert await judge(world, sandbox) == {"settled": 20}

    async def at_rest() -> bool:
        found = summary(sandbox)
        rows = await world.owner.fetch("SELECT status::text FROM payments.webhook")
        heard = Counter(row["status"] for row in rows)
        return not found["callbacks_due"] and heard == {"applied": 4 if two_steps else 2}

    async with world.working():
        await eventually(at_rest)


async def test_what_a_busy_provider_does_not_take_is_paid_later(
    world: World, start_sandbox: StartSandbox
) -> None:
    """Another batch, which waits for approval, is all that the provider takes at a time."""
    sandbox = start_sandbox(most_open_batches=1)
    other = str(new_id())
    ask_elsewhere(sandbox, "POST", "", other, batch_of([other], amount="0", status="created"))
    await world.fund(20_000_000)

    async def refused() -> bool:
        batches = (await world.get("/batches"))["items"]
        return any(batch["reason"] == "rateLimitError" for batch in batches)

    async with world.working():
        announced = await world.registry.announce(entitlements(100, provider="mekong"))
        await eventually(refused)
        assert sandbox.book() == {}
        approval = [{"op": "replace", "path": "/batchStatus", "value": "approved"}]
        ask_elsewhere(sandbox, "PATCH", "/mekong-batch-00000001", str(new_id()), approval)
        # Each refusal has it left alone for as long as it asked.
        await world.until_chunk(announced, "settled")
    assert await judge(world, sandbox) == {"settled": 100}
    assert summary(sandbox)["batches"] == {"completed": 4}


async def test_a_line_that_was_paid_before_ends_by_what_the_provider_says_of_that(
    world: World, steps: Steps, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox()
    await world.fund(10_000_000)
    announced = await world.registry.announce(entitlements(6, provider="mekong"))

    async def released() -> bool:
        await steps.raise_announced()
        return await world.count("ready") == 6

    await eventually(released)
    as_ordered, otherwise = [str(line) for line in await instruction_ids(world)][:2]
    ask_elsewhere(sandbox, "POST", "", as_ordered, batch_of([as_ordered]))
    ask_elsewhere(sandbox, "POST", "", otherwise, batch_of([otherwise], amount="50000"))
    async with world.working():
        await world.until_count("settled", 5)
        await world.until_count("held", 1)
    assert await judge(world, sandbox) == {"settled": 5, "held": 1}
    paid = await world.get(f"/instructions/{as_ordered}")
    assert (paid["status"], paid["reason"]) == ("settled", None)
    held = await world.get(f"/instructions/{otherwise}")
    assert (held["status"], held["reason"]) == ("held", "different_payment")
    assert (await world.chunk(announced))["status"] == "raised"


def batch_of(
    references: list[str], *, amount: str = "96000", status: str = "approved"
) -> dict[str, Any]:
    """A batch of lines by these references."""
    return {
        "batchStatus": status,
        "transactions": [
            {
                "amount": amount,
                "currency": "KHR",
                "type": "disbursement",
                "creditParty": [{"key": "msisdn", "value": "+85512000000"}],
                "debitParty": [{"key": "organisationid", "value": "nspc"}],
                "requestingOrganisationTransactionReference": reference,
            }
            for reference in references
        ],
    }


def ask_elsewhere(
    sandbox: Sandbox, method: str, path: str, correlation_id: str, body: object
) -> None:
    """Ask the first provider something about batches, as another program with our key."""
    provider = sandbox.options.providers[0]
    answer = httpx.request(
        method,
        f"{sandbox.options.base_url(provider.code)}/batchtransactions{path}",
        json=body,
        headers={"X-API-Key": provider.api_key, "X-CorrelationID": correlation_id},
    )
    assert answer.status_code in (202, 204), answer.text


async def instruction_ids(world: World) -> list[Any]:
    rows = await world.owner.fetch("SELECT id FROM payments.instruction ORDER BY id")
    return [row["id"] for row in rows]
