"""Whatever is asked of payments, the answer is one that its OpenAPI document tells of."""

import pytest

from tests.fuzzing import Stage, hold_against_document
from tests.payments.announcing import FUND
from tests.payments.conftest import StartSandbox, World, entitlements

pytestmark = pytest.mark.long


@pytest.mark.usefixtures("nothing_unrecorded")
async def test_every_answer_is_as_the_document_says(
    world: World, start_sandbox: StartSandbox
) -> None:
    start_sandbox()
    await world.fund(400_000)
    async with world.working():
        announced = await world.registry.announce(entitlements(4))
        await world.until_chunk(announced, "settled")
    instructions = await world.get("/instructions")
    events = await world.get("/events")
    waiting = await world.propose(f"/funds/{FUND}/deposits", {"amount_minor": 1, "reference": "x"})
    stage = Stage(
        world.service,
        values={
            "provider_code": ["mekong", "tonle"],
            "fund_code": [FUND],
            "number": [1],
            "approval_id": [waiting["id"]],
            "chunk_id": [str(announced.chunk_id)],
            "activation_id": [str(announced.activation_id)],
            "instruction_id": [instruction["id"] for instruction in instructions["items"]],
            "event_id": [events["items"][0]["id"]],
        },
    )

    await hold_against_document(stage)
