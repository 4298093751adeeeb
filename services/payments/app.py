"""The payments service's HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from services.payments.account_checks.routes import router as account_checks
from services.payments.activations.routes import router as activations
from services.payments.alarms.metrics import ALARMS
from services.payments.alarms.routes import router as alarms
from services.payments.approvals.tables import Approval, ApprovalKind
from services.payments.batches.routes import router as batches
from services.payments.books.routes import router as books
from services.payments.budget_lines.routes import router as budget_lines
from services.payments.budget_lines.service import budget_line_step
from services.payments.cash_lists.routes import router as cash_lists
from services.payments.cash_lists.service import cash_results_step
from services.payments.chunks.routes import router as chunks
from services.payments.decisions.routes import router as decisions
from services.payments.deliveries.routes import router as deliveries
from services.payments.differences.routes import router as differences
from services.payments.differences.service import difference_step
from services.payments.existence import client_of
from services.payments.funds.routes import router as funds
from services.payments.funds.service import fund_steps
from services.payments.histories.routes import router as histories
from services.payments.holds.routes import router as holds
from services.payments.holds.service import hold_rules_step
from services.payments.instructions.routes import router as instructions
from services.payments.interventions.routes import router as interventions
from services.payments.interventions.service import attempt_step
from services.payments.pauses.routes import router as pauses
from services.payments.pauses.service import resumption_step
from services.payments.progress.following import FOLLOWERS, FOLLOWERS_EACH, Following
from services.payments.progress.routes import router as progress
from services.payments.proofs.routes import router as proofs
from services.payments.providers.adapters import verifiers_of
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.gsma.openapi import PATH as PROVIDER_PATH
from services.payments.providers.gsma.openapi import provider_document
from services.payments.providers.metrics import providers_measuring
from services.payments.providers.routes import router as providers
from services.payments.providers.service import provider_steps
from services.payments.reclaims.routes import router as reclaims
from services.payments.reclaims.service import reclaim_step
from services.payments.reconciliation.mapping import MAPPINGS
from services.payments.reconciliation.routes import mappings as statement_mappings
from services.payments.reconciliation.routes import router as statements
from services.payments.reports.routes import router as reconciliations
from services.payments.reservations.routes import router as reservations
from services.payments.resolutions.routes import router as resolutions
from services.payments.resolutions.service import resolution_step
from services.payments.reversals.routes import router as reversals
from services.payments.reversals.service import reversal_step
from services.payments.rounds.routes import router as rounds
from services.payments.rounds.service import release_step
from services.payments.routing.routes import router as routing
from services.payments.routing.service import route_step
from services.payments.scopes import PaymentsApprove, PaymentsRead
from services.payments.settings import ApiSettings
from services.payments.settlement.routes import router as settlement
from services.payments.subscriptions.routes import router as subscriptions
from services.payments.subscriptions.sealing import cipher_of_keys
from services.payments.subscriptions.service import subscription_step
from services.payments.sweeps.routes import router as sweeps
from services.payments.unresolved.limits import Limits
from services.payments.unresolved.metrics import unresolved_measuring
from services.payments.unresolved.routes import router as unresolved
from services.payments.webhooks.intake import WebhookIntake
from services.payments.webhooks.receiving import Receiving, Sender
from services.payments.webhooks.routes import callbacks
from services.payments.webhooks.routes import router as webhooks
from services.payments.webhooks.sealing import cipher_of_bodies
from shared.application import create_application
from shared.approvals import Steps
from shared.approvals.metrics import approvals_measuring
from shared.approvals.routes import approval_routes
from shared.documents.service import document_step
from shared.events.asyncapi import PATH as ASYNCAPI_PATH
from shared.events.asyncapi import asyncapi_document
from shared.events.routes import router as events
from shared.streams import Places

_DESCRIPTION = """
Pays entitlements into mobile-money accounts, each exactly once, and keeps the books of it.

The registry announces chunks of entitlements; each is fetched, checked against its announcement
and raised as instructions. A round is released only when its fund covers all of it. Every
instruction is committed before it is sent, with an id that never changes; no answer is never taken
for a no. Every step is a row in a double-entry ledger that only gains rows.
"""

_TAGS = [
    {"name": "funds", "description": "Money set aside, promised and spent, and its bounds."},
    {"name": "providers", "description": "Where payments are sent, and our money there."},
    {"name": "rounds", "description": "What is released for dispatch, and what waits."},
    {"name": "chunks", "description": "What the registry announced, and its outcomes."},
    {"name": "activations", "description": "What was sent of one, and what was stopped."},
    {"name": "instructions", "description": "Single payments and their whole history."},
    {"name": "histories", "description": "Where an entitlement's money is, and its receipt."},
    {"name": "batches", "description": "Payments that leave in one request, and their results."},
    {"name": "cash lists", "description": "Cash that is paid out by hand, from signed lists."},
    {"name": "pauses", "description": "What is not sent for the time being."},
    {"name": "holds", "description": "What a rule keeps from being sent, and the rules."},
    {"name": "routing", "description": "Who pays in a provider's place, and when."},
    {"name": "unresolved", "description": "What has no end or not a good one, and the way out."},
    {"name": "resolutions", "description": "What two persons decide about payments."},
    {"name": "approvals", "description": "What waits for a second person."},
    {"name": "alarms", "description": "Contradictions that a person has to settle."},
    {"name": "webhooks", "description": "Callbacks from providers."},
    {"name": "sweeps", "description": "Our books compared with what the providers say."},
    {"name": "books", "description": "The trial balance and the journal, for accountants."},
    {"name": "statement mappings", "description": "How each provider's statements are read."},
    {"name": "statements", "description": "What providers say of a day, against our books."},
    {"name": "differences", "description": "Where statements and our books differ."},
    {"name": "reconciliations", "description": "A provider and a day: what does not match."},
    {"name": "proofs", "description": "That the books are right."},
    {"name": "subscriptions", "description": "Events that are sent to others, and how that goes."},
    {"name": "events", "description": "The event log, and what failed here."},
]


_PRINTED_AT_ONCE = 2
"""Lists that are made into PDF at the same time: a second of the processor for each."""


_APPROVALS = approval_routes(ApprovalKind, reader=PaymentsRead, decider=PaymentsApprove)


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """The app, ready to be served."""
    settings = settings or ApiSettings()
    waits = timedelta(days=settings.approval_wait_days)
    steps = Steps(
        Approval,
        ApprovalKind,
        [
            *fund_steps(waits),
            budget_line_step(waits),
            *provider_steps(waits),
            reversal_step(waits),
            reclaim_step(waits),
            release_step(waits),
            attempt_step(waits, settings=settings),
            resolution_step(waits),
            cash_results_step(waits),
            subscription_step(
                waits, cipher=cipher_of_keys(settings), maximum=settings.subscriptions_maximum
            ),
            hold_rules_step(waits),
            route_step(waits),
            resumption_step(waits),
            difference_step(waits),
            document_step(MAPPINGS, ApprovalKind.STATEMENT_MAPPING, waits=waits),
        ],
    )
    app = create_application(
        title="Sangkroh payments",
        summary="Pays households, exactly once, and accounts for every riel.",
        description=_DESCRIPTION,
        settings=settings,
        routers=[
            # First: routers are tried in turn, and callbacks come by the hundred thousand.
            callbacks,
            funds,
            budget_lines,
            reservations,
            providers,
            reversals,
            reclaims,
            rounds,
            chunks,
            settlement,
            instructions,
            histories,
            batches,
            cash_lists,
            interventions,
            resolutions,
            pauses,
            holds,
            routing,
            decisions,
            account_checks,
            _APPROVALS,
            activations,
            progress,
            unresolved,
            alarms,
            webhooks,
            sweeps,
            books,
            statement_mappings,
            statements,
            differences,
            reconciliations,
            proofs,
            subscriptions,
            deliveries,
            events,
        ],
        tags=_TAGS,
        lifespans=[_taking_callbacks, _asking_of_places, _followed],
        measurings=[
            approvals_measuring(Approval),
            ALARMS,
            unresolved_measuring(Limits.of(settings)),
            providers_measuring(settings),
        ],
    )
    app.state.steps = steps
    app.state.statement_places = Places(
        settings.statements_at_once,
        per_caller=1,
        wait_seconds=settings.place_wait_seconds,
    )
    app.state.print_places = Places(
        _PRINTED_AT_ONCE, per_caller=1, wait_seconds=settings.place_wait_seconds
    )
    app.state.following = Following(
        app.state.database,
        places=Places(
            FOLLOWERS, per_caller=FOLLOWERS_EACH, wait_seconds=settings.place_wait_seconds
        ),
        ending=app.state.ending,
    )
    app.get(ASYNCAPI_PATH, include_in_schema=False)(asyncapi_document)
    app.get(PROVIDER_PATH, include_in_schema=False)(provider_document)
    return app


@asynccontextmanager
async def _asking_of_places(app: FastAPI) -> AsyncIterator[None]:
    async with client_of(app.state.settings.registry_url) as registry:
        app.state.registry = registry
        yield


@asynccontextmanager
async def _taking_callbacks(app: FastAPI) -> AsyncIterator[None]:
    settings: ApiSettings = app.state.settings
    numbers = await ProviderDirectory(
        app.state.database, settings.providers, clock=app.state.clock
    ).numbers()
    intake = WebhookIntake(app.state.database, batch_size=settings.webhook_batch_size)
    app.state.receiving = Receiving(
        {
            code: Sender(provider_number=numbers[code], verifier=verifier)
            for code, verifier in verifiers_of(settings).items()
        },
        cipher=cipher_of_bodies(settings),
        intake=intake,
    )
    async with intake.running():
        yield


@asynccontextmanager
async def _followed(app: FastAPI) -> AsyncIterator[None]:
    following: Following = app.state.following
    async with following.running():
        yield
