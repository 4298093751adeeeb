"""The payments service's background work, wired together."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import httpx

from services.payments.account_checks.checking import CheckingAccounts, LettingUnseenGo
from services.payments.account_checks.comparing import Comparing
from services.payments.account_checks.preparing import PreparingAccounts
from services.payments.activations.cancelling import Cancelling
from services.payments.activations.handlers import handlers as of_activations
from services.payments.answers.applying import ApplyingAnswers
from services.payments.answers.recording import Recording
from services.payments.batches.files import TakingFiles
from services.payments.batches.lane import BatchLane
from services.payments.cash_lists.returning import Returning
from services.payments.chunks.handlers import handlers as of_chunks
from services.payments.database import SCHEMA
from services.payments.deliveries.delivering import Delivering
from services.payments.deliveries.handlers import handlers as of_deliveries
from services.payments.differences.following import Following
from services.payments.dispatch.asking_first import AskingFirst
from services.payments.dispatch.inquiring import Inquiring
from services.payments.dispatch.lane import Lane
from services.payments.dispatch.leases import Leases
from services.payments.dispatch.pauses import HearingOfPauses
from services.payments.dispatch.permits import KnownPauses, seconds_since_boot
from services.payments.dispatch.sending import Sending
from services.payments.instructions.moves import InstructionMoves, Waits
from services.payments.looks.statements import QUESTIONS
from services.payments.providers.account_answers import AccountAsker
from services.payments.providers.adapters import account_askers_of, adapters_of
from services.payments.providers.batches import BatchAdapter
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.files import FileAdapter
from services.payments.providers.health.keeping import KeepingHealth
from services.payments.providers.health.noting import Noting
from services.payments.providers.pace.allowance import Allowance
from services.payments.providers.pace.keeping import KeepingPace
from services.payments.providers.pace.pacing import LEASE_BEYOND_SECONDS, Pace, keep
from services.payments.providers.protocol import Adapter, Capability, SingleAdapter
from services.payments.raising.fetching import Fetching
from services.payments.reservations.handlers import handlers as of_reservations
from services.payments.reservations.reserving import Reserving
from services.payments.resolutions.carrying_out import CarryingOut
from services.payments.rounds.handlers import handlers as of_rounds
from services.payments.rounds.releasing import Releasing
from services.payments.routing.elsewhere.asking import AskingElsewhere
from services.payments.routing.further.asking import AskingFurther
from services.payments.routing.groups import groups_fit
from services.payments.routing.rerouting import Rerouting
from services.payments.settings import WorkerSettings
from services.payments.settlement.closing import Closing
from services.payments.settlement.counting import Counting
from services.payments.settlement.progressing import Progressing
from services.payments.subscriptions.sealing import cipher_of_keys
from services.payments.sweeps.sweeping import Sweeping
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.watching import Watching
from services.payments.webhooks.applying import Applying
from services.payments.webhooks.matching import Matching
from services.payments.webhooks.repeating import Repeating
from services.payments.webhooks.repository import CALLBACKS
from services.payments.webhooks.sealing import cipher_of_bodies
from shared.audit import Sequencer
from shared.audit.sequencing import RESTS
from shared.clock import Clock, clock_from
from shared.database import Database
from shared.events import Consumer
from shared.http import service_client
from shared.ids import new_id
from shared.looks import Looks
from shared.retry import Backoff
from shared.schedule import Schedule
from shared.sending import Sender
from shared.worker import Loop, Step, Worker

_MATCH_AGAIN = Backoff(first_seconds=5, longest_seconds=5)
_COUNT = Backoff(first_seconds=0.75, longest_seconds=0.75)
"""The registry is to know within a second how many payments have ended."""
_ONLY_WOKEN = Backoff(first_seconds=60, longest_seconds=60)
"""Of a loop that does what another has found."""
_TOGETHER_SECONDS = 0.1
"""How long a loop that looks whether there is something waits for others that do."""
_HEAR_OF_PAUSES = Backoff(first_seconds=0.25, longest_seconds=0.25)
"""A pause is to be effective within a second."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the service's steps are made of."""

    settings: WorkerSettings
    database: Database
    clock: Clock
    registry: httpx.AsyncClient
    adapters: Mapping[str, Adapter]
    account_askers: Mapping[str, AccountAsker]
    """By provider, those that are asked about accounts."""
    directory: ProviderDirectory
    moves: InstructionMoves
    recording: Recording
    lanes: Mapping[str, Lane]
    """By provider, those that take single payments."""
    inquiries: Mapping[str, Inquiring]
    batch_lanes: Mapping[str, BatchLane]
    """By provider, those that take batches."""
    notings: Mapping[str, Noting]
    """By provider, how it answers this worker."""
    delivering: Delivering
    pauses: KnownPauses
    paces: Mapping[str, Pace]
    """By provider, how fast it is spoken to."""

    async def end_requests(self) -> None:
        """Let what is under way at the providers and receivers end, and nothing new begin."""
        await asyncio.gather(
            *(lane.close() for lane in self.lanes.values()),
            *(inquiry.close() for inquiry in self.inquiries.values()),
            *(lane.close() for lane in self.batch_lanes.values()),
            self.delivering.close(),
        )
        for pace in self.paces.values():
            await pace.leave()

    async def settle_requests(self) -> None:
        """Wait until nothing is under way at the providers and receivers, and all of it is
        recorded."""
        for inquiry in self.inquiries.values():
            await inquiry.asks.settle()
        for lane in self.lanes.values():
            await lane.sends.settle()
        for batch_lane in self.batch_lanes.values():
            await batch_lane.jobs.settle()
        await self.delivering.requests.settle()


def wire(settings: WorkerSettings) -> Wiring:
    """Everything that the steps share, made once; nothing is connected to yet."""
    database = Database(
        settings.database_url,
        application_name="payments-worker",
        pool_size=settings.database_pool_size
        + sum(3 if provider.is_paced else 2 for provider in settings.providers),
        ping_first=False,
        tls=settings.tls,
    )
    clock = clock_from(settings.clock_file)
    adapters = adapters_of(settings)
    groups_fit(settings, adapters)
    directory = ProviderDirectory(database, settings.providers, clock=clock)
    moves = InstructionMoves(clock=clock, waits=Waits.of(settings))
    recording = Recording(database=database, moves=moves, directory=directory)
    providers = {provider.code: provider for provider in settings.providers}
    notings = {code: Noting() for code in adapters}
    pauses = KnownPauses()
    worker_id = new_id()
    paces = {
        code: Pace(
            Allowance(
                providers[code],
                code=code,
                directory=directory,
                database=database,
                worker_id=worker_id,
                lease_seconds=LEASE_BEYOND_SECONDS + settings.provider_timeout_seconds,
            ),
            now=seconds_since_boot,
        )
        for code in adapters
    }
    for code, adapter in adapters.items():
        keep(adapter, paces[code])
    lanes = {
        code: Lane(
            adapter=adapter,
            provider=providers[code],
            settings=settings,
            directory=directory,
            database=database,
            moves=moves,
            recording=recording,
            noting=notings[code],
            pauses=pauses,
            pace=paces[code],
        )
        for code, adapter in adapters.items()
        if isinstance(adapter, SingleAdapter) and Capability.SINGLE in adapter.capabilities
    }
    batch_lanes = {
        code: BatchLane(
            adapter=adapter,
            provider=providers[code],
            settings=settings,
            directory=directory,
            database=database,
            moves=moves,
            recording=recording,
            noting=notings[code],
            pauses=pauses,
            pace=paces[code],
        )
        for code, adapter in adapters.items()
        if isinstance(adapter, BatchAdapter)
    }
    return Wiring(
        settings=settings,
        database=database,
        clock=clock,
        registry=service_client(settings, settings.registry_url),
        adapters=adapters,
        account_askers=account_askers_of(settings),
        directory=directory,
        moves=moves,
        recording=recording,
        lanes=lanes,
        inquiries={code: Inquiring(lane, settings) for code, lane in lanes.items()},
        batch_lanes=batch_lanes,
        notings=notings,
        delivering=Delivering(
            database=database,
            sender=Sender(
                judge=settings.subscriber_judge,
                timeout_seconds=settings.delivery_timeout_seconds,
                at_once=settings.delivery_each * settings.subscriptions_maximum,
            ),
            cipher=cipher_of_keys(settings),
            clock=clock,
            schedule=Schedule(settings.delivery_retry_seconds),
            each=settings.delivery_each,
            maximum=settings.subscriptions_maximum,
            timeout_seconds=settings.delivery_timeout_seconds,
            pauses=settings.delivery_pause,
        ),
        pauses=pauses,
        paces=paces,
    )


def _wake(loops: Iterable[Loop]) -> None:
    for loop in loops:
        loop.wake()


def _never(done: int) -> bool:
    """Whatever was found, it is looked at again after a rest."""
    return False


def create_worker(settings: WorkerSettings | None = None) -> Worker:
    """Every loop of the service in one worker; several workers may run side by side."""
    return worker_of(wire(settings or WorkerSettings()))


def worker_of(wiring: Wiring) -> Worker:
    """The worker that a wiring makes."""
    settings, database, clock = wiring.settings, wiring.database, wiring.clock
    rest = settings.rest
    consumer = Consumer(
        database,
        name="payments",
        schema=SCHEMA,
        handlers={
            **of_chunks(ask_first_seconds=settings.ask_first_seconds),
            **of_rounds(),
            **of_activations(),
            **of_reservations(clock),
        },
    )
    follower = Consumer(database, name="subscriptions", schema=SCHEMA, handlers=of_deliveries())
    looks = Looks(
        database,
        {**QUESTIONS, **{each.name: each.question for each in (consumer, follower)}},
        together_seconds=min(settings.rest_seconds, _TOGETHER_SECONDS),
    )

    def asking(
        kind: str, step: Step, *, of: str | int | None = None, then: Iterable[Loop] = ()
    ) -> Loop:
        """A loop that steps where its kind's question says that there may be something."""
        name = kind if of is None else f"{kind}-{of}"
        return Loop(name, step, rest=rest, then=then, look=looks.by(kind))

    closing = asking("close", Closing(database=database, clock=clock).step)
    sending = [
        asking("send", Sending(lane, settings).step, of=code, then=[closing])
        for code, lane in wiring.lanes.items()
    ]
    sending_beside = {
        code: Loop(f"send-batches-{code}-beside", lane.send_beside_step, rest=_ONLY_WOKEN)
        for code, lane in wiring.batch_lanes.items()
    }
    sending_batches = {
        code: asking("send-batches", lane.send_step, of=code, then=[sending_beside[code]])
        for code, lane in wiring.batch_lanes.items()
    }
    sending += sending_batches.values()
    inquiring = [
        asking("inquire", inquiry.step, of=code, then=[closing])
        for code, inquiry in wiring.inquiries.items()
    ]
    asking_first = [
        asking(
            "ask-first",
            AskingFirst(
                provider=code,
                directory=wiring.directory,
                database=database,
                moves=wiring.moves,
                size=settings.dispatch_claim_size,
                has_stand_ins=bool(settings.group_of(code)),
            ).step,
            of=code,
        )
        for code in wiring.adapters
    ]
    checking = [
        asking(
            "check-accounts",
            CheckingAccounts(
                wiring.account_askers[provider.code],
                provider=provider,
                settings=settings,
                directory=wiring.directory,
                database=database,
                moves=wiring.moves,
                comparing=Comparing(wiring.registry),
                noting=wiring.notings[provider.code],
            ).step,
            of=provider.code,
            then=[*sending, closing],
        )
        for provider in settings.providers
        if provider.code in wiring.account_askers
    ]
    preparing = PreparingAccounts(
        wiring.registry,
        providers=settings.providers,
        database=database,
        clock=clock,
        again_seconds=settings.accounts_ahead_seconds,
    )
    unseen = LettingUnseenGo(
        [provider.code for provider in settings.providers if not provider.account_checks],
        database=database,
        size=settings.dispatch_claim_size,
    )
    asking_elsewhere = [
        asking(
            "ask-elsewhere",
            AskingElsewhere(
                provider=code,
                lanes=wiring.lanes,
                database=database,
                directory=wiring.directory,
                settings=settings,
                clock=clock,
            ).step,
            of=code,
            then=asking_first,
        )
        for code in wiring.adapters
        if settings.group_of(code)
    ]
    asking_further = asking(
        "ask-further",
        AskingFurther(
            lanes=wiring.lanes,
            database=database,
            directory=wiring.directory,
            recording=wiring.recording,
            settings=settings,
            clock=clock,
        ).step,
        then=[closing, *inquiring, *sending],
    )
    rerouting = Rerouting(
        database=database, directory=wiring.directory, settings=settings, clock=clock
    )
    releasing = asking(
        "release",
        Releasing(database=database, clock=clock).step,
        then=[*sending, *checking],
    )
    fetching = [
        asking(
            "fetch",
            Fetching(
                wiring.registry,
                database=database,
                directory=wiring.directory,
                clock=clock,
                settings=settings,
            ).step,
            of=number,
            then=[releasing, *checking],
        )
        for number in range(1, settings.chunk_fetchers + 1)
    ]
    cancelling = asking(
        "cancel",
        Cancelling(database=database, moves=wiring.moves).step,
        then=[closing],
    )
    reserving = asking("reserve", Reserving(database=database, clock=clock).step)
    reading = Loop.reading(
        consumer,
        rest=rest,
        then=[reserving, *fetching, releasing, cancelling],
        look=looks.by(consumer.name),
    )
    delivering = asking("deliver", wiring.delivering.step)
    telling = Loop.reading(
        follower,
        name="events-to-subscribers",
        rest=rest,
        then=[delivering],
        look=looks.by(follower.name),
    )
    batches = []
    for code, lane in wiring.batch_lanes.items():
        due = Loop(
            f"batches-{code}",
            lane.due_step,
            rest=rest,
            then=[closing],
            look=lane.due_look(looks.by("batches")),
        )
        lane.on_step_taken = partial(_wake, (due, sending_batches[code], closing))
        batches.append(due)
    taking_files = [
        Loop(
            f"files-{code}",
            TakingFiles(
                adapter,
                directory=wiring.directory,
                database=database,
                recording=wiring.recording,
                clock=clock,
                size=settings.files_size,
            ).step,
            rest=rest,
            then=[closing, *batches],
        )
        for code, adapter in wiring.adapters.items()
        if isinstance(adapter, FileAdapter)
    ]
    leases = Leases(database=database, moves=wiring.moves, size=settings.inquiry_size)
    hearing = HearingOfPauses(database=database, known=wiring.pauses)
    pacing = KeepingPace(paces=list(wiring.paces.values()), database=database)
    applying = Applying(
        database=database,
        adapters=wiring.adapters,
        directory=wiring.directory,
        recording=wiring.recording,
        cipher=cipher_of_bodies(settings),
        batch_size=settings.webhook_batch_size,
        notings=wiring.notings,
    )
    watching = Watching(
        database=database, clock=clock, limits=Limits.of(settings), size=settings.watch_size
    )
    health = KeepingHealth(notings=wiring.notings, database=database, directory=wiring.directory)
    resolving = CarryingOut(database=database, moves=wiring.moves, size=settings.resolution_size)
    progressing = Progressing(
        database=database, clock=clock, every_seconds=settings.progress_seconds
    )
    counting = Counting(database=database, clock=clock)
    answering = ApplyingAnswers(wiring.recording, size=settings.dispatch_outcomes_size)
    following = Following(
        database=database,
        recording=wiring.recording,
        clock=clock,
        size=settings.dispatch_outcomes_size,
    )
    returning = Returning(database=database, clock=clock)
    matching = Matching(database=database, size=settings.webhook_batch_size)
    repeating = Repeating(database=database, clock=clock, size=settings.webhook_batch_size)
    return Worker(
        name="payments-worker",
        database=database,
        clock=clock,
        loops=[
            closing,
            *inquiring,
            reading,
            *fetching,
            reserving,
            releasing,
            cancelling,
            *asking_elsewhere,
            *asking_first,
            asking_further,
            *checking,
            Loop("prepare-accounts", preparing.step, rest=settings.watch_rest, then=checking),
            asking("unseen-accounts", unseen.step, then=sending),
            asking("reroute", rerouting.step, then=sending),
            Loop("pauses", hearing.step, rest=_HEAR_OF_PAUSES, has_more=_never),
            Loop("pace", pacing.step, rest=_HEAR_OF_PAUSES, has_more=_never),
            *sending,
            asking("leases", leases.step),
            *sending_beside.values(),
            *batches,
            *taking_files,
            asking("apply-answers", answering.step, then=[closing]),
            Loop(
                "apply-callbacks",
                applying.step,
                rest=rest,
                wakes_on=[CALLBACKS],
                then=[closing, *batches],
                look=looks.by("apply-callbacks"),
            ),
            Loop("health", health.step, rest=settings.health_rest),
            Loop("watch", watching.step, rest=settings.watch_rest),
            *(
                asking("sweep", Sweeping(lane, settings).step, of=code, then=[closing])
                for code, lane in wiring.lanes.items()
            ),
            telling,
            delivering,
            Loop("follow-statements", following.step, rest=settings.watch_rest, then=[closing]),
            asking("resolve", resolving.step, then=[closing, *inquiring, *sending]),
            Loop("return-unclaimed", returning.step, rest=settings.watch_rest, then=batches),
            Loop("count", counting.step, rest=_COUNT, has_more=_never),
            Loop("progress", progressing.step, rest=settings.progress_rest),
            Loop("match-callbacks", matching.step, rest=_MATCH_AGAIN),
            Loop("repeated-callbacks", repeating.step, rest=_MATCH_AGAIN, then=inquiring),
            Loop("audit", Sequencer(database, schema=SCHEMA).step, rest=RESTS),
        ],
        closing=[
            looks.close,
            wiring.end_requests,
            *(adapter.close for adapter in wiring.adapters.values()),
            *(asker.close for asker in wiring.account_askers.values()),
            wiring.registry.aclose,
        ],
    )
