"""Who may be registered twice: how tests make them, have them found, and decide about them."""

from typing import Any
from uuid import UUID

from services.registry.linkage.comparing import Comparing
from services.registry.settings import DuplicatesSettings
from shared.clock import FileClock
from shared.database import Database
from shared.worker import Worker
from tests.hearing import hear
from tests.registry.flow import Flow, Row, rows


async def look(worker: Worker) -> int:
    return await worker.step("duplicates")


async def work(worker: Worker) -> None:
    """Everything that waits, until nothing does."""
    await hear(worker, "registry")
    for loop in ("enrol-1", "repairs"):
        while await worker.step(loop):
            pass


def twice(number: str, **fields: Any) -> list[Row]:
    """One ID number, in Battambang and in Pursat."""
    first, second = rows(1, **fields), rows(1, commune="150101", **fields)
    return [
        Row(**{**first[0].__dict__, "id_number": number}),
        Row(**{**second[0].__dict__, "id_number": number, "head_name": "Chanthy Sok"}),
    ]


async def suspects(flow: Flow, **parameters: Any) -> list[dict[str, Any]]:
    return list((await flow.get("/duplicates", **parameters))["items"])


async def decided(
    flow: Flow, suspect_id: str, decision: str, *, status: int = 200
) -> dict[str, Any]:
    answer = await flow.client.put(
        f"/duplicates/{suspect_id}/decision",
        json={"decision": decision, "reason": "Asked in the village."},
    )
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def entitlements(flow: Flow, activation_id: UUID) -> list[tuple[str, str, str | None]]:
    found = await flow.owner.fetch(
        "SELECT area_code, status, reason FROM registry.entitlement WHERE activation_id = $1 "
        "ORDER BY area_code",
        activation_id,
    )
    return [tuple(row) for row in found]


async def compare(flow: Flow) -> list[str]:
    """What the command does, and tells."""
    settings = DuplicatesSettings()
    lines: list[str] = []
    database = Database(settings.database_url, application_name="test")
    try:
        comparing = Comparing(
            database, settings, clock=FileClock(flow.clock_file), tell=lines.append
        )
        assert await comparing.run()
    finally:
        await database.dispose()
    return lines
