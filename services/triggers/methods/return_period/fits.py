"""The level that is reached once in so many years, from the highest value of each year."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from services.triggers.methods.unjudged import Unjudged

EULER = 0.5772156649015329


@dataclass(frozen=True, kw_only=True)
class Gumbel:
    """Gumbel's distribution: `location` μ and `scale` σ, in the unit of the values."""

    location: float
    scale: float

    def level(self, years: float) -> float:
        """x_T = μ − σ·ln(−ln(1 − 1/T))."""
        return self.location - self.scale * log(-log(1 - 1 / years))


def gumbel(maxima: Sequence[float]) -> Gumbel | Unjudged:
    """Fit by L-moments: λ₂ = 2b₁ − b₀, σ = λ₂ / ln 2, μ = λ₁ − 0.5772σ.

    Source: Hosking and Wallis, "Regional Frequency Analysis: an approach based on L-moments",
    Cambridge University Press, 1997, sections 2.4, 2.7 and A.2. b₀ and b₁ are the unbiased
    probability-weighted moments: the mean, and Σ (i − 1)/(n − 1) · x_i / n over the values in
    order, the smallest first.
    """
    ordered = np.sort(np.asarray(maxima, np.float64))
    count = len(ordered)
    mean = float(ordered.mean())
    weighted = float((np.arange(count) / (count - 1) * ordered).mean())
    second = 2 * weighted - mean
    if second <= 1e-12 * max(abs(mean), 1e-300):
        return Unjudged("The highest value was the same in every year, so it has no distribution.")
    scale = second / log(2)
    return Gumbel(location=mean - EULER * scale, scale=scale)


def plotting_position_level(maxima: Sequence[float], years: float) -> float:
    """The level of T = (n + 1) / rank, rank 1 being the highest; between ranks, by probability.

    Source: Weibull, "A statistical theory of the strength of materials", 1939; Makkonen,
    "Plotting positions in extreme value analysis", Journal of Applied Meteorology and
    Climatology 45, 2006. Below the lowest value's return period it is the lowest value.
    """
    ordered = np.sort(np.asarray(maxima, np.float64))
    probabilities = np.arange(1, len(ordered) + 1) / (len(ordered) + 1)
    return float(np.interp(1 - 1 / years, probabilities, ordered))
