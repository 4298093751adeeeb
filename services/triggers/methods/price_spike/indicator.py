"""Prices as they are posted: one for each market and month."""

from services.triggers.methods.calendar import Calendar, Frequency
from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from services.triggers.quality.expectations import PRICES


def faults_of(row: PostedRow) -> list[RowFault]:
    faults = []
    if row.value is not None and row.value <= 0:
        faults.append(RowFault("value", "A price is above zero; null where there is none."))
    if row.observed_on.day != 1:
        faults.append(RowFault("observed_on", "A monthly price is dated the first of its month."))
    if row.place is None:
        faults.append(RowFault("place", "A price is observed at a market: name it."))
    return faults


PRICE = IndicatorKind(
    code="price",
    says="one value for each market and month, above zero",
    dated="the first of the month for a monthly price",
    faults_of=faults_of,
    calendar=Calendar(frequency=Frequency.MONTH, waits_days=10),
    expects=PRICES,
)
