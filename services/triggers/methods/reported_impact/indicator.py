"""Households as they are reported: whole ones, or an area named without a figure."""

from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from services.triggers.quality.expectations import HOUSEHOLDS


def faults_of(row: PostedRow) -> list[RowFault]:
    if row.value is not None and (row.value < 0 or row.value != int(row.value)):
        return [
            RowFault(
                "value", "Households are a whole number from zero; null where no figure is given."
            )
        ]
    return []


HOUSEHOLDS_AFFECTED = IndicatorKind(
    code="households_affected",
    says="whole households in an area, as one authority reported; its total for a larger area, or "
    "for the country, is taken too",
    dated="the day of the report for households affected",
    faults_of=faults_of,
    with_totals=True,
    expects=HOUSEHOLDS,
)
