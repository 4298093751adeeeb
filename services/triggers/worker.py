"""The triggers service's worker: pulls feeds, evaluates triggers, weighs what they propose."""

from services.triggers.activations.weighing import Weighing
from services.triggers.backtests.service import Trying
from services.triggers.checks.service import Checks
from services.triggers.evaluations.service import Judging
from services.triggers.feeds.fetching import Fetcher
from services.triggers.feeds.pulling import Pulling
from services.triggers.settings import WorkerSettings
from services.triggers.steps import steps_of
from shared.audit import Sequencer
from shared.audit.sequencing import RESTS
from shared.clock import clock_from
from shared.contracts.events import ObservationsRecorded
from shared.database import Database
from shared.http import service_client
from shared.production import Environment
from shared.retry import Backoff
from shared.worker import Loop, Worker

_LOOKING = Backoff(first_seconds=5, longest_seconds=30)


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
    registry = service_client(settings, settings.registry_url)
    payments = service_client(settings, settings.payments_url)
    steps = steps_of(settings)
    checks = Checks(database=database, registry=registry, payments=payments, clock=clock)
    weighing = Weighing(
        database,
        checks=checks,
        steps=steps,
        clock=clock,
    )
    fetcher = Fetcher(only_public=settings.environment is Environment.PRODUCTION)
    pulling = Pulling(database, fetcher=fetcher, checks=checks, clock=clock)
    weigh = Loop("weigh", weighing.step)
    judging = Judging(database, steps=steps, clock=clock)
    return Worker(
        name=f"{settings.service}-worker",
        database=database,
        clock=clock,
        loops=[
            Loop("judge", judging.step, wakes_on=[ObservationsRecorded.type], then=[weigh]),
            weigh,
            Loop("expire", weighing.expire, then=[weigh]),
            Loop("try", Trying(database, checks=checks, clock=clock).step),
            Loop("pull", pulling.step),
            Loop("silent", pulling.look, rest=_LOOKING),
            Loop("audit", Sequencer(database, schema=settings.service).step, rest=RESTS),
        ],
        closing=[registry.aclose, payments.aclose, fetcher.close],
    )
