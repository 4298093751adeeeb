"""Up to where an activation pays by itself, and when a person is asked: pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.triggers.activations.states import Origin
from services.triggers.checks.estimate import Estimate
from services.triggers.definitions.document import Approval, Ceiling, TriggerDocument

MARGIN_PERCENT = 10
"""What a person approved may grow by: households move and are registered between the rounds."""


@dataclass(frozen=True, kw_only=True)
class Announced:
    """The ceiling that is announced with an activation; None: not said."""

    households: int | None = None
    minor: int | None = None


def why_a_person(
    document: TriggerDocument,
    *,
    origin: Origin,
    estimate: Estimate,
    vouched: bool,
    doubted: bool = False,
) -> str | None:
    """Why an activation does not open, or widen, by itself; None: it does.

    ``vouched``: no figure of its evidence was posted by one person alone. ``doubted``: what became
    known later would not have let it begin.
    """
    stage = document.stages.activation
    if origin is Origin.DECLARED:
        return "An official declared it."
    if stage.approval is not Approval.AUTOMATIC:
        return "Its trigger wants a second person."
    if not document.enabled:
        return "Its trigger was retired since."
    if stage.ceiling is None:
        return "Its trigger states no ceiling: post a version that does."
    if not vouched:
        return "One person alone posted a figure of the evidence."
    if doubted:
        return "What became known since would not have let it begin."
    if not estimate.is_known:
        return "The registry could not say how much it would pay."
    return _above(stage.ceiling, estimate)


def above_stated(document: TriggerDocument, estimate: Estimate) -> str | None:
    """That an estimate is above the ceiling that a trigger states, where it is."""
    ceiling = document.stages.activation.ceiling
    return _above(ceiling, estimate) if ceiling is not None and estimate.is_known else None


def by_document(ceiling: Ceiling) -> Announced:
    """What is announced where a trigger's own ceiling is enough."""
    return Announced(households=ceiling.households, minor=ceiling.amount_minor)


def by_approval(*, households: int | None, amount_minor: int | None) -> Announced:
    """What is announced of an estimate that a person approved: so much, and a margin."""
    return Announced(households=_with_margin(households), minor=_with_margin(amount_minor))


def raised(before: Announced, by: Announced) -> Announced:
    """The ceiling of the whole: what was approved before is never taken back."""
    return Announced(
        households=_highest((before.households, by.households)),
        minor=_highest((before.minor, by.minor)),
    )


def _above(ceiling: Ceiling, estimate: Estimate) -> str | None:
    assert estimate.households is not None
    assert estimate.amount_minor is not None
    within = (
        estimate.currency == ceiling.currency
        and estimate.households <= ceiling.households
        and estimate.amount_minor <= ceiling.amount_minor
    )
    if within:
        return None
    return (
        f"That is above the ceiling of its trigger: {ceiling.households:,} households, "
        f"{ceiling.amount_minor:,} {ceiling.currency}."
    )


def _with_margin(estimate: int | None) -> int | None:
    return None if estimate is None else -(-estimate * (100 + MARGIN_PERCENT) // 100)


def _highest(figures: Iterable[int | None]) -> int | None:
    return max((figure for figure in figures if figure is not None), default=None)
