"""The payments service's background work, wired together."""

from services.payments.chunks.closing import Closing
from services.payments.chunks.fetching import Fetching
from services.payments.database import SCHEMA
from services.payments.dispatch.inquiring import Inquiring, Leases
from services.payments.dispatch.lane import Lane, waits_from
from services.payments.dispatch.sending import Sending
from services.payments.providers.client import ProviderClient
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health import ProviderHealth
from services.payments.rounds.announcements import HANDLERS
from services.payments.rounds.release import Releasing
from services.payments.settings import Settings
from services.payments.webhooks.application import Applying
from services.payments.webhooks.secrets import WEBHOOK_CONTEXT
from shared.clock import clock_from
from shared.database import Database
from shared.events import Consumer
from shared.http import service_client
from shared.personal_data import cipher_from
from shared.retry import Backoff
from shared.worker import Loop, Worker

_MATCH_AGAIN = Backoff(first_seconds=5, longest_seconds=5)


def create_worker(settings: Settings | None = None) -> Worker:
    """Every loop of the service in one worker; several workers may run side by side."""
    settings = settings or Settings()
    database = Database(
        settings.database_url,
        application_name="payments-worker",
        pool_size=settings.database_pool_size + 2 * len(settings.providers),
        ping_first=False,
    )
    clock = clock_from(settings.clock_file)
    registry = service_client(settings, settings.registry_url, scopes=("entitlements:read",))
    directory = ProviderDirectory(database, settings.providers)
    rest = Backoff(
        first_seconds=settings.rest_seconds,
        longest_seconds=max(settings.rest_seconds, min(1, 10 * settings.rest_seconds)),
    )

    closing = Loop("close", Closing(database=database, clock=clock).step, rest=rest)
    loops: list[Loop] = [closing]
    clients: list[ProviderClient] = []
    sending: list[Loop] = []
    for provider in settings.providers:
        client = ProviderClient(provider, settings)
        clients.append(client)
        health = ProviderHealth(
            pause_seconds=settings.provider_pause_seconds,
            longest_seconds=settings.provider_pause_longest_seconds,
        )
        lane = Lane(
            client=client,
            directory=directory,
            health=health,
            database=database,
            clock=clock,
            settings=settings,
        )
        sending.append(Loop(f"send-{provider.code}", Sending(lane).step, rest=rest, then=[closing]))
        loops.append(
            Loop(f"inquire-{provider.code}", Inquiring(lane).step, rest=rest, then=[closing])
        )

    releasing = Loop(
        "release", Releasing(database=database, clock=clock).step, rest=rest, then=sending
    )
    fetching = [
        Loop(
            f"fetch-{number}",
            Fetching(registry, database=database, clock=clock, settings=settings).step,
            rest=rest,
            then=[releasing],
        )
        for number in range(1, settings.chunk_fetchers + 1)
    ]
    consumer = Consumer(database, name="payments", schema=SCHEMA, handlers=HANDLERS)
    reading = Loop.reading(consumer, rest=rest, then=[*fetching, releasing])
    applying = Applying(
        database=database,
        clock=clock,
        cipher=cipher_from(settings.webhook_keys, context=WEBHOOK_CONTEXT),
        waits=waits_from(settings),
        batch_size=settings.webhook_batch_size,
    )
    leases = Leases(database=database, clock=clock, settings=settings)
    loops += [
        reading,
        *fetching,
        releasing,
        *sending,
        Loop("leases", leases.step, rest=rest),
        Loop("apply-callbacks", applying.step, rest=rest, then=[closing]),
        Loop("match-callbacks", applying.match_again, rest=_MATCH_AGAIN),
    ]
    return Worker(
        name="payments-worker",
        database=database,
        clock=clock,
        loops=loops,
        closing=[*(client.close for client in clients), registry.aclose],
    )
