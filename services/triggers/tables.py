"""Every table of the triggers schema, for its migrations."""

from services.triggers.activations.tables import Activation, ActivationArea, ActivationMove
from services.triggers.approvals.tables import Approval
from services.triggers.backtests.tables import Backtest
from services.triggers.checks.tables import KnownArea
from services.triggers.database import SCHEMA, Base
from services.triggers.definitions.tables import TriggerDefinition, TriggerLeg
from services.triggers.doubtful.tables import DoubtfulObservation
from services.triggers.evaluations.tables import Evaluation, TriggerStanding
from services.triggers.feeds.tables import Feed, FeedPull, FeedState
from services.triggers.imports.tables import ObservationImport
from services.triggers.indicators.tables import Indicator
from services.triggers.observations.tables import Observation
from services.triggers.places.tables import Place, PlaceAlias
from services.triggers.readiness.tables import Readiness

metadata = Base.metadata

__all__ = [
    "SCHEMA",
    "Activation",
    "ActivationArea",
    "ActivationMove",
    "Approval",
    "Backtest",
    "DoubtfulObservation",
    "Evaluation",
    "Feed",
    "FeedPull",
    "FeedState",
    "Indicator",
    "KnownArea",
    "Observation",
    "ObservationImport",
    "Place",
    "PlaceAlias",
    "Readiness",
    "TriggerDefinition",
    "TriggerLeg",
    "TriggerStanding",
    "metadata",
]
