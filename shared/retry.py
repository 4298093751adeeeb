"""Trying again: how long to wait after so many failures, the same in Python and in SQL."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 20


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Waits that double from ``first_seconds`` up to ``longest_seconds``."""

    first_seconds: float
    longest_seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.first_seconds <= self.longest_seconds:
            raise ValueError("A wait is longer than nothing, and the first is not the longest.")

    def seconds(self, failures: int) -> float:
        """The wait after ``failures`` earlier ones: ``first_seconds`` where there was none."""
        return float(
            min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures, _MOST_DOUBLINGS))
        )

    def sql(self, failures: str) -> str:
        """The same in seconds (double precision), over an SQL expression that counts failures."""
        return (
            f"least({self.longest_seconds!r}::float8, "
            f"{self.first_seconds!r}::float8 * 2 ^ least({failures}, {_MOST_DOUBLINGS}))"
        )
