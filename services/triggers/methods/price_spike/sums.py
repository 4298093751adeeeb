"""What a trend by calendar month needs to know of all months before each one, added up once."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SeasonalSums:
    """Sums over the months before each position, apart for each of twelve calendar months.

    Shape (months + 1, 12) each; a month without a price adds nothing. Prices are counted from
    `origin`, the first there is, so that little is lost where they are far from zero. What comes
    later changes no bit of an earlier row.
    """

    origin: float
    count: NDArray[np.float64]
    place: NDArray[np.float64]
    place_square: NDArray[np.float64]
    price: NDArray[np.float64]
    place_price: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Of prices by position; NaN where there is none."""
        known = ~np.isnan(values)
        origin = float(values[np.argmax(known)]) if known.any() else 0.0
        place = np.arange(len(values), dtype=np.float64)
        price = np.where(known, values - origin, 0.0)
        season = (np.arange(len(values)) % 12)[:, np.newaxis] == np.arange(12)

        def before(each: NDArray[np.float64]) -> NDArray[np.float64]:
            apart = np.where(season & known[:, np.newaxis], each[:, np.newaxis], 0.0)
            return np.concatenate([np.zeros((1, 12)), np.cumsum(apart, axis=0)])

        return cls(
            origin=origin,
            count=before(np.ones(len(values))),
            place=before(place),
            place_square=before(place * place),
            price=before(price),
            place_price=before(place * price),
        )
