"""Every method that there is. What the service says and does of methods follows from this list."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from services.triggers.methods.ensemble_share.method import ENSEMBLE_SHARE
from services.triggers.methods.flood_extent.method import FLOOD_EXTENT_METHOD
from services.triggers.methods.indicator_kind import IndicatorKind
from services.triggers.methods.method import Method, MethodDocument, Words
from services.triggers.methods.phase.method import PHASE
from services.triggers.methods.price_spike.method import PRICE_SPIKE
from services.triggers.methods.rainfall_total.method import RAINFALL_TOTAL
from services.triggers.methods.reported_impact.method import REPORTED_IMPACT
from services.triggers.methods.return_period.method import RETURN_PERIOD
from services.triggers.methods.season_percentile.method import SEASON_PERCENTILE
from services.triggers.methods.stage_threshold.method import STAGE_THRESHOLD
from services.triggers.methods.standardised_precipitation.method import (
    STANDARDISED_PRECIPITATION,
)
from services.triggers.methods.warning.method import WARNING
from services.triggers.methods.year_on_year.method import YEAR_ON_YEAR

AnyMethod = Method[Any, Any]
"""A method whose document and series only it understands."""

METHODS: tuple[AnyMethod, ...] = (
    PRICE_SPIKE,
    REPORTED_IMPACT,
    WARNING,
    PHASE,
    FLOOD_EXTENT_METHOD,
    STAGE_THRESHOLD,
    RETURN_PERIOD,
    ENSEMBLE_SHARE,
    STANDARDISED_PRECIPITATION,
    RAINFALL_TOTAL,
    SEASON_PERCENTILE,
    YEAR_ON_YEAR,
)


def method_of(document: MethodDocument) -> AnyMethod:
    """The method that a document is written for."""
    return next(method for method in METHODS if isinstance(document, method.document))


def any_document() -> Any:
    """The annotation of a document of any method, recognised by its `kind`."""
    documents = reduce(or_, (method.document for method in METHODS))
    return Annotated[documents, Field(discriminator="kind")]


def indicator_kinds() -> dict[str, IndicatorKind]:
    """The kinds of indicators that a method judges, by code."""
    return {kind.code: kind for method in METHODS for kind in method.indicator_kinds}


def words() -> list[Words]:
    """What the documentation says of each method."""
    return [method.words for method in METHODS]
