"""What a check sees of one figure."""

from datetime import date
from typing import NamedTuple


class PostedFigure(NamedTuple):
    """One value of an indicator, posted or known."""

    area: str
    place: str | None
    source: str
    observed_on: date
    published_on: date
    value: float | None
    issue: int = 1
    """Of several that were published on one day: which, by the publisher's own count."""
    member: int | None = None
    """Of a forecast ensemble: which of its members."""

    @property
    def series(self) -> tuple[str, str | None, str]:
        """What shares one history: a source's word on a place."""
        return (self.area, self.place, self.source)

    @property
    def in_order(self) -> tuple[object, ...]:
        """What puts figures in one order, whichever came first: of what says the same, the smaller
        value, and last what has none."""
        return (
            self.area,
            self.place or "",
            self.source,
            self.observed_on,
            self.published_on,
            self.issue,
            -1 if self.member is None else self.member,
            self.value is None,
            self.value or 0.0,
        )

    @property
    def said_once(self) -> tuple[object, ...]:
        """What is said once: by whom, of what, on which day, as which issue."""
        return (*self.series, self.observed_on, self.published_on, self.issue, self.member)
