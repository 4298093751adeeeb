"""The triggers service's HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.triggers.activations.routes import router as activations
from services.triggers.alerts.routes import router as alerts
from services.triggers.approvals.tables import Approval, ApprovalKind
from services.triggers.backtests.routes import router as backtests
from services.triggers.checks.service import Checks
from services.triggers.definitions.routes import router as definitions
from services.triggers.doubtful.metrics import DOUBTFUL
from services.triggers.drawing.studio import drawing
from services.triggers.evaluations.routes import router as evaluations
from services.triggers.explanations.routes import router as explanations
from services.triggers.feeds.metrics import FEEDS
from services.triggers.feeds.routes import pulls
from services.triggers.feeds.routes import router as feeds
from services.triggers.imports.routes import router as imports
from services.triggers.indicators.routes import router as indicators
from services.triggers.indicators.service import judging_progress
from services.triggers.methods import registry
from services.triggers.observations.routes import router as observations
from services.triggers.places.routes import router as places
from services.triggers.readiness.routes import router as readiness
from services.triggers.releases.routes import router as releases
from services.triggers.reporting.routes import router as reporting
from services.triggers.scopes import TriggersApprove, TriggersRead
from services.triggers.settings import ApiSettings
from services.triggers.steps import steps_of
from shared.application import create_application
from shared.approvals.metrics import approvals_measuring
from shared.approvals.routes import approval_routes
from shared.events.routes import router as events
from shared.http import service_client
from shared.streams import Places

_DESCRIPTION = """
Decides **when** an emergency is one. Observations (a rice price at a market, the households that a
disaster committee reports) are recorded as published and judged by the indicator's calendar: of
events at once, of anything else when a period is complete and the day is over, so that the order
of arrival decides nothing. A met threshold proposes an activation, which opens by itself up to its
trigger's ceiling, or when a second person approves.

1. Register an indicator, then record its observations, up to 5,000 in one request. What is
   doubtful, at once or when it is judged, is set aside: no trigger reads it until a person
   releases it.
2. Post a trigger: a versioned document with its legs (an indicator each, and the method that
   judges it, with thresholds), the scheme, the areas, and what each stage does.
3. Read its evaluations: each keeps the numbers that decided, so that every decision is explained.
4. Follow activations here, or the `activation-opened` and `activation-widened` events in the feed,
   or as alerts in CAP 1.2. The evidence of each says why, in English and Khmer, with a chart and a
   map.

Methods:

"""

_METHODS = "\n".join(f"- `{method.kind}`: {method.document.__doc__}" for method in registry.METHODS)

_TAGS = [
    {"name": "indicators", "description": "Measured things: what, in which unit, at what level."},
    {"name": "places", "description": "Markets, gauges and stations, and every name of each."},
    {"name": "observations", "description": "Values as published, with revisions kept."},
    {"name": "feeds", "description": "What is published elsewhere, pulled by schedule."},
    {"name": "triggers", "description": "Versioned rules: when an indicator means an emergency."},
    {"name": "evaluations", "description": "Every judgement of a trigger, with its evidence."},
    {"name": "readiness", "description": "When triggers were ready, and stood down."},
    {"name": "activations", "description": "Triggers happening, or officials declaring them."},
    {
        "name": "backtests",
        "description": "Triggers tried on history, with what it would have cost.",
    },
    {"name": "alerts", "description": "Notice of activations in CAP and Atom: no warning."},
    {"name": "approvals", "description": "What waits for a second person."},
    {"name": "events", "description": "The event log, and the events that failed here."},
]


_APPROVALS = approval_routes(ApprovalKind, reader=TriggersRead, decider=TriggersApprove)


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """The app, by the given settings or those of the environment."""
    settings = settings or ApiSettings()
    steps = steps_of(settings)
    app = create_application(
        title="Sangkroh triggers",
        summary="Observations in, activations out.",
        description=_DESCRIPTION + _METHODS,
        settings=settings,
        routers=[
            indicators,
            reporting,
            places,
            observations,
            imports,
            feeds,
            pulls,
            releases,
            definitions,
            evaluations,
            readiness,
            activations,
            backtests,
            explanations,
            alerts,
            _APPROVALS,
            events,
        ],
        tags=_TAGS,
        lifespans=[_asking_the_others, drawing],
        measurings=[approvals_measuring(Approval), FEEDS, DOUBTFUL],
        waits_besides=judging_progress,
    )
    app.state.steps = steps
    return app


@asynccontextmanager
async def _asking_the_others(app: FastAPI) -> AsyncIterator[None]:
    settings: ApiSettings = app.state.settings
    async with (
        service_client(settings, settings.registry_url) as registry,
        service_client(settings, settings.payments_url) as payments,
    ):
        app.state.checks = Checks(
            database=app.state.database,
            registry=registry,
            payments=payments,
            clock=app.state.clock,
        )
        app.state.import_places = Places(
            settings.imports_at_once,
            per_caller=settings.imports_per_caller,
            wait_seconds=settings.place_wait_seconds,
        )
        yield
