"""Every method that there is. What the service says and does of methods follows from this list."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from services.triggers.methods.flood_extent.method import FLOOD_EXTENT_METHOD
from services.triggers.methods.indicator_kind import IndicatorKind
from services.triggers.methods.method import Method, MethodDocument, Words
from services.triggers.methods.phase.method import PHASE
from services.triggers.methods.price_spike.method import PRICE_SPIKE
from services.triggers.methods.reported_impact.method import REPORTED_IMPACT
from services.triggers.methods.warning.method import WARNING

AnyMethod = Method[Any, Any]
"""A method whose document and series only it understands."""

METHODS: tuple[AnyMethod, ...] = (
    PRICE_SPIKE,
    REPORTED_IMPACT,
    WARNING,
    PHASE,
    FLOOD_EXTENT_METHOD,
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
