"""The triggers service's HTTP application."""

from fastapi import FastAPI

from services.triggers.activations.routes import router as activations
from services.triggers.definitions.routes import router as definitions
from services.triggers.evaluations.routes import router as evaluations
from services.triggers.indicators.routes import router as indicators
from services.triggers.observations.routes import router as observations
from services.triggers.settings import Settings
from shared.application import create_application
from shared.events.routes import router as events

_DESCRIPTION = """
Decides **when** an emergency is one. Observations (a rice price at a market, the households that a
disaster committee reports) are recorded as published; each batch has the triggers of its indicator
evaluated; a met threshold opens an activation, at once or after a second person's approval.

1. Register an indicator, then record its observations, up to 5,000 in one request.
2. Post a trigger: a versioned document with the method, its thresholds, the scheme and the areas.
3. Read its evaluations: each keeps the numbers that decided, so that every decision is explained.
4. Follow activations here, or the `activation-opened` and `activation-widened` events in the feed.
"""

_TAGS = [
    {"name": "indicators", "description": "Measured things: what, in which unit, at what level."},
    {"name": "observations", "description": "Values as published, with revisions kept."},
    {"name": "triggers", "description": "Versioned rules: when an indicator means an emergency."},
    {"name": "evaluations", "description": "Every judgement of a trigger, with its evidence."},
    {"name": "activations", "description": "Triggers happening, or officials declaring them."},
    {"name": "events", "description": "The event log, and the events that failed here."},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app, by the given settings or those of the environment."""
    return create_application(
        title="Sangkroh triggers",
        summary="Observations in, activations out.",
        description=_DESCRIPTION,
        settings=settings or Settings(),
        routers=[indicators, observations, definitions, evaluations, activations, events],
        tags=_TAGS,
    )
