"""The triggers service's worker: evaluates triggers when observations are recorded."""

from services.triggers.evaluations.handlers import handlers
from services.triggers.settings import WorkerSettings
from shared.audit import Sequencer
from shared.audit.sequencing import RESTS
from shared.clock import clock_from
from shared.database import Database
from shared.events import Consumer
from shared.worker import Loop, Worker


def create_worker(settings: WorkerSettings | None = None) -> Worker:
    """The worker, by the given settings or those of the environment."""
    settings = settings or WorkerSettings()
    database = Database(
        settings.database_url,
        application_name=f"{settings.service}-worker",
        pool_size=settings.database_pool_size,
        ping_first=False,
        tls=settings.tls,
    )
    clock = clock_from(settings.clock_file)
    consumer = Consumer(
        database, name="evaluations", schema=settings.service, handlers=handlers(clock=clock)
    )
    return Worker(
        name=f"{settings.service}-worker",
        database=database,
        clock=clock,
        loops=[
            Loop.reading(consumer),
            Loop("audit", Sequencer(database, schema=settings.service).step, rest=RESTS),
        ],
    )
