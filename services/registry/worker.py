"""The registry's background work: enrolling, announcing again, and ending what payments ended."""

from services.registry.accounts.working import AccountWork
from services.registry.duplicates.looking import DuplicateLooks
from services.registry.enrolments import handlers as enrolments
from services.registry.enrolments.opening import Means
from services.registry.enrolments.waiting import WaitingActivations
from services.registry.enrolments.working import EnrolmentWork
from services.registry.erasures.working import ErasureWork
from services.registry.funds import handlers as funds
from services.registry.preparations import handlers as preparations
from services.registry.providers import handlers as providers
from services.registry.repairs.working import RepairWork
from services.registry.settings import WorkerSettings
from services.registry.settlement import handlers as settlement
from services.registry.settlement.working import SettlementWork
from services.registry.steps import steps_of
from shared.audit import Sequencer
from shared.audit.sequencing import RESTS
from shared.clock import clock_from
from shared.database import Database
from shared.events import Consumer
from shared.http import service_client
from shared.retry import Backoff
from shared.worker import Loop, Worker

_LOOKING_AGAIN = Backoff(first_seconds=1, longest_seconds=3)
"""How long an activation waits after what it lacked is there."""

_LOOKING_FOR_DUPLICATES = Backoff(first_seconds=5, longest_seconds=60)
"""A look reads every household's row: two seconds for the country."""


def create_worker(settings: WorkerSettings | None = None) -> Worker:
    """The worker, with its settings from the environment unless they are given."""
    settings = settings or WorkerSettings()
    clock = clock_from(settings.clock_file)
    database = Database(
        settings.database_url,
        application_name="registry-worker",
        ping_first=False,
        tls=settings.tls,
    )
    payments = service_client(settings, settings.payments_url)
    steps = steps_of(settings)
    means = Means(clock=clock, settings=settings, steps=steps)
    consumer = Consumer(
        database,
        name="registry",
        schema=settings.service,
        handlers={
            **enrolments.handlers(means=means),
            **settlement.handlers(),
            **providers.handlers(),
            **funds.handlers(),
            **preparations.handlers(clock=clock),
        },
    )
    enrolment = EnrolmentWork(database, steps=steps, clock=clock)
    enrolling = [
        Loop(f"enrol-{number}", enrolment.step) for number in range(1, settings.enrolment_loops + 1)
    ]
    changing = Loop("accounts", AccountWork(database, clock=clock).step)
    erasing = Loop("erasures", ErasureWork(database, clock=clock).step)
    repairing = Loop("repairs", RepairWork(database, clock=clock).step)
    waiting = Loop(
        "waiting-activations",
        WaitingActivations(database, means=means).step,
        rest=_LOOKING_AGAIN,
        then=enrolling,
    )
    looking = Loop(
        "duplicates",
        DuplicateLooks(database, clock=clock).step,
        rest=_LOOKING_FOR_DUPLICATES,
        # One look sees all of what is stored: while an import stores more, the next can wait.
        has_more=lambda _: False,
    )
    settling = Loop("settlements", SettlementWork(database, payments=payments).step)

    auditing = Loop("audit", Sequencer(database, schema=settings.service).step, rest=RESTS)

    # What the handlers planned is there when they are done: nobody waits for the next look.
    reading = Loop.reading(consumer, then=[*enrolling, settling])
    return Worker(
        name="registry-worker",
        database=database,
        clock=clock,
        loops=[
            reading,
            *enrolling,
            waiting,
            repairing,
            changing,
            erasing,
            settling,
            looking,
            auditing,
        ],
        closing=[payments.aclose],
    )
