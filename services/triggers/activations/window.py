"""How long an activation stands for its event: what comes later is another event."""

from datetime import date, timedelta
from typing import assert_never

from services.triggers.definitions.schemas import Method
from services.triggers.methods.national_price import months_between
from services.triggers.methods.price_spike import PriceSpike
from services.triggers.methods.reported_impact import ReportedImpact


def is_over(method: Method, *, evidence_to: date, on: date) -> bool:
    """Whether something on the day `on` is too late to belong to evidence that ended before."""
    match method:
        case PriceSpike():
            return months_between(evidence_to, on) >= method.rearm.after_months
        case ReportedImpact():
            return on > evidence_to + timedelta(days=method.rearm.days_without_reports)
        case _:
            assert_never(method)
