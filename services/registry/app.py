"""The registry's HTTP application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.registry.accounts.routes import router as accounts
from services.registry.acts.routes import router as acts
from services.registry.appeals.metrics import APPEALS
from services.registry.appeals.routes import router as appeals
from services.registry.approvals.tables import Approval, ApprovalKind
from services.registry.changes.routes import router as changes
from services.registry.checks.routes import router as checks
from services.registry.chunks.metrics import CHUNKS
from services.registry.chunks.routes import router as chunks
from services.registry.chunks.streaming import ChunkStreams
from services.registry.comparisons.routes import router as comparisons
from services.registry.consents.routes import router as consents
from services.registry.corrections.routes import router as corrections
from services.registry.decisions.routes import router as decisions
from services.registry.duplicates.routes import router as duplicates
from services.registry.editions.routes import router as editions
from services.registry.entitlements.routes import router as entitlements
from services.registry.erasures.routes import router as erasures
from services.registry.estimates.asking import Payments
from services.registry.estimates.routes import estimates
from services.registry.estimates.routes import router as schemes
from services.registry.exclusions.routes import router as exclusions
from services.registry.further_enrolments.routes import router as further_enrolments
from services.registry.gazetteer.routes import router as areas
from services.registry.gazetteer.service import KnownNames
from services.registry.held.routes import router as held
from services.registry.holders.routes import router as holders
from services.registry.household_exports.routes import router as household_exports
from services.registry.households.persons import personal_data_from
from services.registry.households.routes import router as households
from services.registry.imports.file_routes import mappings as import_mappings
from services.registry.imports.file_routes import router as import_files
from services.registry.imports.routes import router as imports
from services.registry.imports.running import ImportWork
from services.registry.imports.runs.metrics import IMPORT_RUNS
from services.registry.members.routes import router as members
from services.registry.mergers.routes import router as mergers
from services.registry.missed.routes import router as missed
from services.registry.name_searches.routes import router as name_searches
from services.registry.name_sheets.routes import router as name_sheets
from services.registry.partners.routes import router as partners
from services.registry.preparations.routes import router as preparations
from services.registry.progress.routes import router as progress
from services.registry.repairs.routes import router as repairs
from services.registry.rounds.routes import router as rounds
from services.registry.scopes import HouseholdsRead, RegistryApprove
from services.registry.settings import ApiSettings
from services.registry.spdci.applications.mounting import answering_partners, mount_spdci
from services.registry.spdci.asking.routes import router as asking
from services.registry.steps import steps_of
from shared.application import create_application
from shared.approvals.metrics import approvals_measuring
from shared.approvals.routes import approval_routes
from shared.database import Database
from shared.events.routes import router as events
from shared.http import service_client
from shared.retry import Backoff
from shared.streams import Places
from shared.worker import Loop

_TAGS = [
    {"name": "areas", "description": "The national gazetteer."},
    {"name": "imports", "description": "Registering households by file."},
    {"name": "households", "description": "Who they are, and where they are paid."},
    {"name": "duplicates", "description": "Who may be registered twice."},
    {"name": "name sheets", "description": "Who the lines of a list of payments are for."},
    {"name": "schemes", "description": "Who is eligible for what, in versioned documents."},
    {"name": "activations", "description": "Who was enrolled for a shock, and what came of it."},
    {"name": "entitlements", "description": "What a household is owed, and why."},
    {"name": "partners", "description": "Systems of others that speak SPDCI with the registry."},
    {"name": "appeals", "description": "What households want decided anew."},
    {"name": "approvals", "description": "What waits for a second person."},
    {"name": "events", "description": "The event log, and events that failed here."},
]


_LOOKING_FOR_FILES = Backoff(first_seconds=0.1, longest_seconds=1)
_PRINTED_AT_ONCE = 2
"""Sheets that are made into PDF at the same time: a second of the processor for each."""


_APPROVALS = approval_routes(
    ApprovalKind, reader=HouseholdsRead, decider=RegistryApprove, is_narrowed=True
)


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """The app, with its settings from the environment unless they are given."""
    settings = settings or ApiSettings()
    personal_data = personal_data_from(settings)
    steps = steps_of(settings, personal_data)
    app = create_application(
        title="Sangkroh registry",
        summary="Who is helped, and how much they are owed.",
        description=(
            "Holds areas, households and schemes. When triggers opens an activation, the registry "
            "enrols the eligible households, freezes what each is owed, and announces it to "
            "payments in chunks."
        ),
        settings=settings,
        routers=[
            areas,
            editions,
            import_files,
            imports,
            import_mappings,
            households,
            erasures,
            acts,
            consents,
            changes,
            household_exports,
            members,
            name_searches,
            corrections,
            mergers,
            duplicates,
            name_sheets,
            accounts,
            estimates,
            comparisons,
            schemes,
            progress,
            rounds,
            repairs,
            held,
            preparations,
            partners,
            asking,
            entitlements,
            decisions,
            missed,
            further_enrolments,
            exclusions,
            appeals,
            chunks,
            checks,
            holders,
            _APPROVALS,
            events,
        ],
        tags=_TAGS,
        lifespans=[_streaming, _importing, _asking_payments, answering_partners],
        measurings=[approvals_measuring(Approval), CHUNKS, IMPORT_RUNS, APPEALS],
    )
    app.state.steps = steps
    app.state.area_names = KnownNames()
    app.state.personal_data = personal_data
    mount_spdci(app)
    return app


@asynccontextmanager
async def _asking_payments(app: FastAPI) -> AsyncIterator[None]:
    settings: ApiSettings = app.state.settings
    async with service_client(settings, settings.payments_url) as client:
        app.state.payments = Payments(client, database=app.state.database)
        yield


@asynccontextmanager
async def _streaming(app: FastAPI) -> AsyncIterator[None]:
    settings: ApiSettings = app.state.settings
    database = Database(
        settings.database_url,
        application_name="registry-api-streams",
        pool_size=settings.streams_at_once,
        pool_wait_seconds=settings.database_pool_wait_seconds,
        tls=settings.tls,
    )
    app.state.chunk_streams = ChunkStreams(
        database,
        places=Places(
            settings.streams_at_once,
            per_caller=settings.streams_per_caller,
            wait_seconds=settings.place_wait_seconds,
        ),
        longest_seconds=settings.stream_seconds,
    )
    app.state.print_places = Places(
        _PRINTED_AT_ONCE, per_caller=1, wait_seconds=settings.place_wait_seconds
    )
    app.state.import_places = Places(
        settings.imports_at_once,
        per_caller=settings.imports_per_caller,
        wait_seconds=settings.place_wait_seconds,
    )
    yield
    await database.dispose()


@asynccontextmanager
async def _importing(app: FastAPI) -> AsyncIterator[None]:
    """Reads files in the background: of the registry's processes, this one has the keys."""
    settings: ApiSettings = app.state.settings
    database = Database(
        settings.database_url,
        application_name="registry-api-imports",
        pool_size=2 * max(settings.import_loops, 1),
        pool_wait_seconds=settings.database_pool_wait_seconds,
        tls=settings.tls,
    )
    work = ImportWork(
        database,
        personal_data=app.state.personal_data,
        settings=settings,
        steps=app.state.steps,
        clock=app.state.clock,
    )
    stop = asyncio.Event()
    loops = [
        Loop(f"imports-{number}", work.step, rest=_LOOKING_FOR_FILES)
        for number in range(1, settings.import_loops + 1)
    ]

    def look_for_files() -> None:
        for loop in loops:
            loop.wake()

    # Whoever asks this process to have a file read does not wait until it looks by itself.
    app.state.look_for_files = look_for_files
    running = [asyncio.create_task(loop.run(stop)) for loop in loops]
    yield
    stop.set()
    # What is read is broken off: whoever comes next goes on behind the last block.
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    work.close()
    await database.dispose()
