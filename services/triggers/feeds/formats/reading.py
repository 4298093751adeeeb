"""What a reader answers: rows, and what could not be read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from services.triggers.areas import AreaLevel
from shared.errors import detail_of

_FAULTS_TOLD = 3
_DETAIL_CHARACTERS = 300


class Row(NamedTuple):
    """One figure, as published."""

    where: str
    """Where it stands in what was sent, for people: ``line 17``."""
    indicator: str
    area: str
    place: str | None
    source: str
    observed_on: date
    published_on: date
    value: Decimal | None
    publication_is_stated: bool = True
    """Whether the publisher says when it was published, or we do."""
    unit: str | None = None
    """As stated beside the value or in the feed's document; None: it is the indicator's."""
    issue: int = 1
    """Of several that a source published on one day: which, by its own count."""
    details: Mapping[str, Any] | None = None
    member: int | None = None
    """Of a forecast ensemble: which of its members."""


class Unreadable(NamedTuple):
    """Something that was sent and is not recorded, and why."""

    where: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What became of all that was sent."""

    seen: int
    """Rows, alerts or features, of whatever kind."""
    rows: Sequence[Row] = ()
    refused: Sequence[Unreadable] = ()
    unreadable: str | None = None
    """Why nothing at all could be read; None: it could."""

    @classmethod
    def of_nothing(cls, reason: str) -> Self:
        """It could not be read as a whole."""
        return cls(seen=0, unreadable=reason)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a reader knows beside the bytes."""

    source: str
    """The name under which figures are kept."""
    on: date
    """The day of the reading in the country: nothing was published after it."""
    zone: tzinfo
    """The country's."""
    maximum_rows: int
    levels: Mapping[str, AreaLevel] = field(default_factory=dict)
    """By which areas each indicator is observed."""


def told(error: ValidationError) -> str:
    """What is wrong with a value by its type, without the value."""
    faults = [
        f"{'.'.join(map(str, fault['loc'])) or 'all of it'}: {detail_of(fault)}"
        for fault in error.errors()[:_FAULTS_TOLD]
    ]
    return "; ".join(faults)[:_DETAIL_CHARACTERS]


def without_contradictions(rows: Iterable[Row]) -> tuple[list[Row], list[Unreadable]]:
    """Each thing once: what is said twice alike counts once, and what contradicts itself never.

    Of files that do not say when each figure was published, or which of two came later.
    """
    by_key: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (
            row.indicator,
            row.area,
            row.place,
            row.source,
            row.observed_on,
            row.published_on,
            row.issue,
        )
        by_key.setdefault(key, []).append(row)
    kept = []
    refused = []
    for same in by_key.values():
        if len({row.value for row in same}) == 1:
            kept.append(same[0])
        else:
            said = ", ".join(sorted({str(row.value) for row in same})[:5])
            refused += [
                Unreadable(row.where, f"The same thing is given different values here: {said}.")
                for row in same
            ]
    return kept, refused
