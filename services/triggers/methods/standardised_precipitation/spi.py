"""The SPI: a total of rain as a number of standard deviations of a normal distribution.

Source: McKee, Doesken and Kleist, "The relationship of drought frequency and duration to time
scales", Eighth Conference on Applied Climatology, American Meteorological Society, 1993; World
Meteorological Organization, "Standardized Precipitation Index User Guide" (WMO-No. 1090), 2012.
"""

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.unjudged import Unjudged

MINIMUM_WET_YEARS = 10
"""Fewer totals above zero give no distribution of rain."""

BOUND = 3.09
"""Beyond it the fit says nothing: it is one year in a thousand."""

_SMALLEST_SPREAD = 1e-9
_PRECISION = 1e-15
_MAXIMUM_TERMS = 100_000


@dataclass(frozen=True, kw_only=True)
class SpiFit:
    """Rain of a season: zero with a probability, and else by a gamma distribution.

    `scale` is in millimetres.
    """

    probability_of_zero: float
    shape: float
    scale: float
    years: int

    def spi(self, total: float) -> float:
        """Φ⁻¹(q + (1 − q)·G(x)); for no rain at all, Φ⁻¹(q). Within ±3.09."""
        rained = gamma_probability(self.shape, total / self.scale)
        probability = self.probability_of_zero + (1 - self.probability_of_zero) * rained
        if not 0 < probability < 1:
            return -BOUND if probability <= 0 else BOUND
        return min(max(NormalDist().inv_cdf(probability), -BOUND), BOUND)


def fit(totals: NDArray[np.float64]) -> SpiFit | Unjudged:
    """Fit the totals of earlier years, in millimetres.

    Shape and scale by Thom's approximation to the greatest likelihood ("A note on the gamma
    distribution", Monthly Weather Review 86, 1958), as the SPI's authors do:
    A = ln x̄ − mean(ln x), shape = (1 + sqrt(1 + 4A/3)) / 4A, scale = x̄ / shape.
    """
    wet = totals[totals > 0]
    if len(wet) < MINIMUM_WET_YEARS:
        return Unjudged(
            f"The SPI needs rain in {MINIMUM_WET_YEARS} earlier years; it rained in {len(wet)}."
        )
    mean = float(wet.mean())
    spread = log(mean) - float(np.log(wet).mean())
    if spread <= _SMALLEST_SPREAD:
        return Unjudged("It rained as much in every earlier year, so a departure has no scale.")
    shape = (1 + sqrt(1 + 4 * spread / 3)) / (4 * spread)
    return SpiFit(
        probability_of_zero=1 - len(wet) / len(totals),
        shape=shape,
        scale=mean / shape,
        years=len(totals),
    )


def gamma_probability(shape: float, value: float) -> float:
    """P(a, x), the regularised lower incomplete gamma function; 0 up to x = 0.

    Source: NIST Digital Library of Mathematical Functions, 8.7.1 (the series, for small x) and
    8.9.2 (the continued fraction of what is left to one), by Lentz's method as modified.
    """
    if value <= 0:
        return 0.0
    factor = exp(shape * log(value) - value - lgamma(shape))
    if value < shape + 1:
        term = total = 1 / shape
        for step in range(1, _MAXIMUM_TERMS):
            term *= value / (shape + step)
            total += term
            if term < total * _PRECISION:
                break
        return min(factor * total, 1.0)
    tiny = 1e-300
    partial = value + 1 - shape
    upper, lower = 1 / tiny, 1 / partial
    fraction = lower
    for step in range(1, _MAXIMUM_TERMS):
        numerator = -step * (step - shape)
        partial += 2
        lower = 1 / (numerator * lower + partial or tiny)
        upper = numerator / upper + partial or tiny
        change = upper * lower
        fraction *= change
        if abs(change - 1) < _PRECISION:
            break
    return max(1 - factor * fraction, 0.0)
