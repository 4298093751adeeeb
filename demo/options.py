"""What the demonstration is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

DEFAULT_SCALE = "0.03"
"""20,353 households: two to three minutes on two cores."""


class OptionRefused(Exception):
    """One line that says which variable is wrong, and what it may be."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``scale``: the part of the country's households that is made. ``keep``: stay up after."""

    scale: Fraction
    seed: int
    keep: bool
    database_url: str | None


def read_options(environment: Mapping[str, str] = os.environ) -> Options:
    """SCALE, SEED, KEEP and DATABASE_URL; raises OptionRefused."""
    text = environment.get("SCALE") or DEFAULT_SCALE
    try:
        scale = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise OptionRefused(f"SCALE is {text!r}: give a number such as {DEFAULT_SCALE}.") from None
    if not 0 < scale <= 1:
        raise OptionRefused(f"SCALE is {text}: give a number above 0 and at most 1, the country.")
    seed = environment.get("SEED") or "1"
    if not seed.isdecimal():
        raise OptionRefused(f"SEED is {seed!r}: give a whole number from 0.")
    return Options(
        scale=scale,
        seed=int(seed),
        keep=environment.get("KEEP", "") not in ("", "0"),
        database_url=environment.get("DATABASE_URL") or None,
    )
