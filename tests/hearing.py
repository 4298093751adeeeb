"""How tests that step a worker by hand have it hear all that was published."""

from shared.events.repository import consumers_progress
from shared.worker import Worker
from tests.server import eventually


async def hear(
    worker: Worker, service: str, *, loop: str = "events", consumer: str | None = None
) -> None:
    """Step a loop until no event waits for its consumer, which is named as the service is.

    Once is not enough: the first look makes the cursor, and the log's fence trails behind what is
    still being written, in whatever database of the same server.
    """
    name = consumer or service

    async def heard() -> bool:
        while await worker.step(loop):
            pass
        async with worker.database.transaction() as session:
            consumers = await consumers_progress(session, service)
        return any(each.consumer == name and not each.waiting for each in consumers)

    await eventually(heard)
