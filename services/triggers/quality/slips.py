"""By which factors a figure is off where somebody typed another thing than was meant."""

from math import exp, log

from services.triggers.quality.doubt import DoubtReason

LEAST_SLIP = log(4)
"""No slip is smaller: a package of five, in a market that moves."""

_RIEL = (log(3_000), log(5_500))
"""The rate, near 4,100 riel for a dollar, in a market that moves by a third."""
_POWERS = 6
_POWER_TOLERANCE = log(1.5)
_PACKAGES = (5, 20, 25, 50)
_PACKAGE_TOLERANCE = log(1.25)


def times(change: float) -> str:
    """A change (a natural logarithm) in words: ``4,850 times above``."""
    factor = float(f"{exp(min(abs(change), 30)):.3g}")
    return f"{factor:,.10g} times {'above' if change > 0 else 'below'}"


def slip_of(change: float, *, is_money: bool) -> tuple[DoubtReason, str] | None:
    """The slip that a change (a natural logarithm) looks like, and what it is in words."""
    size = abs(change)
    factor = times(change)
    if size < LEAST_SLIP:
        return None
    if is_money and _RIEL[0] <= size <= _RIEL[1]:
        typed = "riel for dollars" if change > 0 else "dollars for riel"
        return DoubtReason.RIEL_FOR_DOLLARS, f"{factor} what was to be expected, as {typed} are"
    for power in range(1, _POWERS + 1):
        if abs(size - power * log(10)) <= _POWER_TOLERANCE:
            return (
                DoubtReason.DECIMAL_SLIP,
                f"{factor} what was to be expected, as with a decimal point {power} off",
            )
    for package in _PACKAGES if is_money else ():
        if abs(size - log(package)) <= _PACKAGE_TOLERANCE:
            return (
                DoubtReason.PACKAGE_SLIP,
                f"{factor} what was to be expected, as is the price of a package of {package}",
            )
    return None
