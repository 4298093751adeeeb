"""National series: one figure for the whole country each month, such as a consumer price index."""

from decimal import Decimal

from services.triggers.areas import COUNTRY
from services.triggers.methods.indicator_kind import IndicatorKind, PostedRow, RowFault
from services.triggers.quality.expectations import NATIONAL_LEVELS

HIGHEST = Decimal(1_000_000_000)


def faults_of(row: PostedRow) -> list[RowFault]:
    faults = []
    if row.value is not None and not 0 < row.value <= HIGHEST:
        faults.append(
            RowFault(
                "value",
                f"A national series is a level above zero and up to {HIGHEST:f}, such as an index "
                "or a price; a rate of change is not one. null where there is none.",
            )
        )
    if row.area != COUNTRY:
        faults.append(RowFault("area", f"A national series is of the whole country: {COUNTRY}."))
    if row.place is not None:
        faults.append(RowFault("place", "A national series has no places: leave it out."))
    if row.observed_on.day != 1:
        faults.append(RowFault("observed_on", "A month is dated its first day."))
    return faults


NATIONAL_SERIES = IndicatorKind(
    code="national_series",
    says="one level for the whole country each month, such as a consumer price index or an export "
    "price, above zero",
    dated="the first of the month for a national series",
    faults_of=faults_of,
    expects=NATIONAL_LEVELS,
)
