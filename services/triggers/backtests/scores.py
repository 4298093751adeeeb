"""How well something foretold what happened: pure, and each number with the n behind it.

Sources: POD, FAR and CSI as in D. S. Wilks, "Statistical Methods in the Atmospheric Sciences",
4th edition, section 9.2; the probability score of G. W. Brier, "Verification of forecasts
expressed in terms of probability", Monthly Weather Review 78 (1950); the plotting position
(n + 1)/k of W. Weibull, as in OCHA's anticipatory action frameworks.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Score(BaseModel):
    """A share of ``n`` things, from 0 to 1; None where there is nothing to take a share of."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    n: int

    @classmethod
    def of(cls, part: int, n: int) -> "Score":
        return cls(value=part / n if n else None, n=n)

    def __str__(self) -> str:
        return "none to count" if self.value is None else f"{self.value:.2f} of {self.n}"


class Brier(BaseModel):
    """The mean squared distance of a probability from what came: 0 is perfect, 1 always wrong."""

    model_config = ConfigDict(frozen=True)

    value: float
    n: int
    base_rate: float
    """The share of the same periods in which an event was."""
    of_base_rate: float
    """What saying that share each time would have come to: it needs the whole span to be known."""


def detected(*, hits: int, misses: int) -> Score:
    """POD: of the events, the share that an activation met."""
    return Score.of(hits, hits + misses)


def false_alarm_ratio(*, false_alarms: int, activations: int) -> Score:
    """FAR: of the activations, the share that met no event."""
    return Score.of(false_alarms, activations)


def critical_success(*, hits: int, misses: int, false_alarms: int) -> Score:
    """CSI: the hits, of all that was an event or was taken for one."""
    return Score.of(hits, hits + misses + false_alarms)


def brier(probabilities: Sequence[float], happened: Sequence[bool]) -> Brier | None:
    """The score of probabilities against what came; None where there are none."""
    n = len(probabilities)
    if not n:
        return None
    pairs = list(zip(probabilities, happened, strict=True))
    base_rate = sum(happened) / n
    return Brier(
        value=sum((probability - came) ** 2 for probability, came in pairs) / n,
        n=n,
        base_rate=base_rate,
        of_base_rate=base_rate * (1 - base_rate),
    )


def return_period(*, years: int, reached: int) -> float | None:
    """(n + 1)/k: once in how many years; None where it was reached in none of them."""
    return (years + 1) / reached if reached else None
