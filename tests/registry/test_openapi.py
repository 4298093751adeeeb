"""Whatever is asked of the registry, the answer is one that its OpenAPI document tells of."""

import pytest

from tests.fuzzing import Stage, hold_against_document
from tests.registry.flow import BATTAMBANG, Flow, body_of, rows

pytestmark = pytest.mark.long


@pytest.mark.usefixtures("nothing_unrecorded")
async def test_every_answer_is_as_the_document_says(working: Flow) -> None:
    household, *_ = given = rows(3)
    await working.register(given)
    activation_id = await working.open(BATTAMBANG)
    await working.worked(activation_id)
    household_id = await working.household_id(household.registration_number)
    entitlements = await working.get(f"/households/{household_id}/entitlements")
    imports = await working.get("/imports")
    events = await working.get("/events")
    stage = Stage(
        working.service,
        values={
            "code": ["flood-2022", "02", "020101"],
            "version": [1],
            "number": [1, 2],
            "import_id": [imports["items"][0]["id"]],
            "household_id": [household_id],
            "activation_id": [str(activation_id)],
            "entitlement_id": [entitlements["items"][0]["id"]],
            "chunk_id": [chunk["id"] for chunk in await working.chunks(activation_id)],
            "event_id": [events["items"][0]["id"]],
        },
        bodies={"PUT /v1/imports/{import_id}/rows": body_of(rows(4))},
    )

    await hold_against_document(stage)
