"""What is known of an indicator: its figures in columns, each as it was published."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from math import isnan
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1
"""The index of a place, or the number of a member, where there is none."""

Laid = TypeVar("Laid")

_COLUMNS = (
    "area",
    "place",
    "source",
    "observed_on",
    "published_on",
    "issue",
    "value",
    "member",
    "details",
)


class Figure(NamedTuple):
    """One value of an indicator, as one source published it."""

    area: str
    place: str | None
    """A place in the area; None: the area as a whole."""
    source: str
    observed_on: date
    published_on: date
    value: float | None
    """In the indicator's unit; None: named without a figure."""
    member: int | None = None
    """Of a forecast ensemble: which of its members."""
    issue: int = 1
    """Of several that a source published on one day: which, by its own count."""
    details: Mapping[str, Any] | None = None
    """What some kinds of indicators say beside the value; its keys are the kind's."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Figures:
    """The figures of one indicator: columns of one length, a figure in each row.

    `areas`, `places` and `sources` are vocabularies in the order of their words, to which the
    columns `area`, `place` and `source` are indices (int32). Days are proleptic Gregorian
    ordinals (`date.toordinal`, int32). `value` is in the indicator's unit, NaN where an area was
    named without a figure. `place` and `member` are `NOWHERE` where there is none.

    Of a measured thing, a figure with the same area, place, source, member and `observed_on` as
    another is a revision of it. Of a forecast, `published_on` belongs to what must be the same.
    """

    areas: tuple[str, ...]
    places: tuple[str, ...]
    sources: tuple[str, ...]
    area: NDArray[np.int32]
    place: NDArray[np.int32]
    source: NDArray[np.int32]
    observed_on: NDArray[np.int32]
    published_on: NDArray[np.int32]
    issue: NDArray[np.int32]
    value: NDArray[np.float64]
    member: NDArray[np.int32]
    details: NDArray[np.object_]
    forecast: bool = False

    @classmethod
    def of(cls, figures: Iterable[Figure], *, forecast: bool = False) -> Self:
        """Figures in whatever order, every revision of them; the order does not matter."""
        rows = list(figures)
        areas, area = _indices([row.area for row in rows])
        sources, source = _indices([row.source for row in rows])
        places, place = _indices([row.place for row in rows])
        found = cls(
            areas=areas,
            places=places,
            sources=sources,
            area=area,
            place=place,
            source=source,
            observed_on=np.array([row.observed_on.toordinal() for row in rows], np.int32),
            published_on=np.array([row.published_on.toordinal() for row in rows], np.int32),
            issue=np.array([row.issue for row in rows], np.int32),
            value=np.array(
                [np.nan if row.value is None else row.value for row in rows], np.float64
            ),
            member=np.array(
                [NOWHERE if row.member is None else row.member for row in rows], np.int32
            ),
            details=np.array([row.details for row in rows], np.object_),
            forecast=forecast,
        )
        return found._in_order()

    def __len__(self) -> int:
        return len(self.value)

    def known_on(self, day: date) -> Self:
        """The figures that count at the end of a day: one for each thing, its latest published.

        Of two that were published on one day the higher issue counts; of two of one issue, which
        contradict each other, the smaller value, so that the order of arrival decides nothing. A
        figure counts before a word that names no figure.
        """
        published = self.published_on <= day.toordinal()
        if not published.any():
            return self._rows(np.flatnonzero(published))
        known = np.flatnonzero(published)
        key = self._key[known]
        # Rows lie in the order of their keys, and within one with what counts last.
        last = np.append(key[1:] != key[:-1], True)
        return self._rows(known[last])

    def within(self, first_on: date, last_on: date) -> Self:
        """Those observed on these days; both ends count."""
        observed = (self.observed_on >= first_on.toordinal()) & (
            self.observed_on <= last_on.toordinal()
        )
        return self._rows(np.flatnonzero(observed))

    def published_until(self, day: date) -> Self:
        """Those published by the end of a day, in every revision."""
        return self._rows(np.flatnonzero(self.published_on <= day.toordinal()))

    @property
    def is_first(self) -> NDArray[np.bool_]:
        """For each row whether it is the first word on its thing, and revises none."""
        return np.append(True, self._key[1:] != self._key[:-1])[: len(self)]

    def laid_out(self, by: Hashable, lay_out: Callable[[Self], Laid]) -> Laid:
        """What `lay_out` makes of these figures, once for all who name it the same."""
        if by not in self._laid_out:
            self._laid_out[by] = lay_out(self)
        laid: Laid = self._laid_out[by]
        return laid

    @cached_property
    def _laid_out(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def rows(self) -> Sequence[Figure]:
        """The figures one by one."""
        return [
            Figure(
                area=self.areas[area],
                place=None if place == NOWHERE else self.places[place],
                source=self.sources[source],
                observed_on=date.fromordinal(observed_on),
                published_on=date.fromordinal(published_on),
                value=None if isnan(value) else value,
                member=None if member == NOWHERE else member,
                issue=issue,
                details=details,
            )
            for (
                area,
                place,
                source,
                observed_on,
                published_on,
                issue,
                value,
                member,
                details,
            ) in zip(*(getattr(self, name).tolist() for name in _COLUMNS), strict=True)
        ]

    @cached_property
    def _key(self) -> NDArray[np.int64]:
        """A number for each row that is the same where one revises the other."""
        columns = self._key_columns()
        if not len(self):
            return np.zeros(0, np.int64)
        changes = np.zeros(len(self), np.bool_)
        for column in columns:
            changes[1:] |= column[1:] != column[:-1]
        return np.cumsum(changes)

    def _key_columns(self) -> list[NDArray[np.int32]]:
        columns = [self.observed_on, self.area, self.place, self.source, self.member]
        return [*columns, self.published_on] if self.forecast else columns

    def _in_order(self) -> Self:
        smaller_last = np.where(np.isnan(self.value), -np.inf, -self.value)
        order = np.lexsort(
            (smaller_last, self.issue, self.published_on, *reversed(self._key_columns()))
        )
        return self._taken(order)

    def _rows(self, rows: NDArray[np.intp]) -> Self:
        """Some of the rows, which are given in their order."""
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            # Neighbours are seen where they lie, and not copied.
            return self._taken(slice(int(rows[0]), int(rows[-1]) + 1))
        return self._taken(rows)

    def _taken(self, rows: NDArray[np.intp] | slice) -> Self:
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return type(self)(
            areas=self.areas,
            places=self.places,
            sources=self.sources,
            forecast=self.forecast,
            **columns,
        )


def _indices(words: Sequence[str | None]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    vocabulary = sorted({word for word in words if word is not None})
    index: dict[str | None, int] = {word: position for position, word in enumerate(vocabulary)}
    index[None] = NOWHERE
    return tuple(vocabulary), np.array([index[word] for word in words], np.int32)
