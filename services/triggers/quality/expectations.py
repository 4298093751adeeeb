"""What is expected of the figures of one kind of indicator."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.triggers.areas import AreaLevel


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """By what the figures of a kind are held to be doubtful. The defaults doubt nothing.

    Bounds are in the indicator's unit, and a value on a bound is within it.
    """

    least: float | None = None
    most: float | None = None
    most_in_area: Mapping[AreaLevel, float] = field(default_factory=dict)
    """By the level of the area that a figure is about."""
    by_factors: bool = False
    """Whether its values change by factors, so that a slip shows as one. They are above zero."""
    is_money: bool = False
    """Whether its values are an amount of money for a quantity: currencies and packages slip."""
    outlier_factor: float | None = None
    """A change below this factor is never an outlier; None: a large change is no reason to doubt,
    such as of water that rises."""
    stuck_after: int | None = None
    """So many equal values in a row, other than zero, are those of a gauge that hangs."""
    reach_days: int | None = None
    """A figure of a day that lies longer before its publication is told to be an old one."""
    looks_back_days: int = 0
    """How far from the days of a batch the figures lie that it is compared with."""


PRICES = Expectations(
    by_factors=True, is_money=True, outlier_factor=2, reach_days=120, looks_back_days=400
)
"""Of commodities at markets, each month."""

NATIONAL_LEVELS = Expectations(
    by_factors=True, outlier_factor=1.6, reach_days=180, looks_back_days=800
)
"""Levels of the whole country, such as a price index."""

HOUSEHOLDS = Expectations(
    most_in_area={
        # Above the largest of the census of 2019, with room for two decades.
        AreaLevel.COUNTRY: 5_000_000,
        AreaLevel.PROVINCE: 800_000,
        AreaLevel.DISTRICT: 200_000,
        AreaLevel.COMMUNE: 60_000,
        AreaLevel.VILLAGE: 20_000,
    },
    reach_days=60,
)
"""Counted households. A flood takes them from none to thousands: no change of them is doubtful."""

STAGES = Expectations(least=-10, most=35, stuck_after=10, reach_days=30, looks_back_days=30)
"""Metres at a gauge. A river rises by metres in a day: no rise is doubtful."""

DISCHARGES = Expectations(
    least=0, most=150_000, by_factors=True, stuck_after=10, reach_days=30, looks_back_days=30
)
"""Cubic metres a second. The Mekong's largest known, at Kratie, is near 76,000."""

RAINFALLS = Expectations(least=0, most=3_000, reach_days=60)
"""Millimetres of a day or a month. The most of a day ever measured anywhere is 1,825."""
