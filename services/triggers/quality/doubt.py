"""Why a figure is doubtful."""

from dataclasses import dataclass
from enum import StrEnum


class DoubtReason(StrEnum):
    """What is doubtful about a figure."""

    PLACE_UNKNOWN = "place-unknown"
    """Its place is on no list, or several go by the name."""
    UNIT_DIFFERS = "unit-differs"
    """It says a unit or currency that cannot be brought into the indicator's."""
    OUT_OF_BOUNDS = "out-of-bounds"
    """No such thing is ever that large or small."""
    DAY_ABSURD = "day-absurd"
    """Its day lies before 1900, or in a future that nobody forecasts."""
    CONTRADICTION = "contradiction"
    """The same authority published another value for the same thing on the same day."""
    RIEL_FOR_DOLLARS = "riel-for-dollars"
    """It is off by the rate between riel and dollar."""
    DECIMAL_SLIP = "decimal-slip"
    """It is off by ten, a hundred, a thousand."""
    PACKAGE_SLIP = "package-slip"
    """It is off by the size of a package."""
    OUTLIER = "outlier"
    """It is far from its own series, and from what other places report."""
    STUCK = "stuck"
    """It repeats one value for too long: a gauge that hangs."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A doubt about one figure: its reason, and a sentence for people."""

    reason: DoubtReason
    says: str
    suggested_place: str | None = None
    """The code of the likeliest place, where the place is unknown."""
