"""What counts say of an activation: how far it is, how fast it goes, and what waits for a person.

Pure: the same counts at the same moment say the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from services.payments.instructions.states import LIVE, Status
from services.payments.rounds.states import RoundStatus
from services.payments.unresolved.kinds import UnresolvedKind
from shared.bounds import Bound, lies_within, overlap

PACE_SECONDS = 300.0
"""Over the last so many is measured how fast payments end."""
_SHORTEST_SECONDS = 30.0
"""What ended within less says nothing about the next minutes."""
DISTRICT_DIGITS = 4
_PROVINCE_DIGITS = 2


class By(StrEnum):
    """What counts are told apart by."""

    ROUND = "round"
    PROVINCE = "province"
    DISTRICT = "district"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Counted:
    """So many payments that stand alike."""

    round: int
    scheme: str
    round_status: RoundStatus
    currency: str
    district_code: str
    """Empty: nobody knows."""
    provider: str
    status: Status
    withheld: bool
    count: int
    amount_minor: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """What the registry announced in one currency."""

    currency: str
    announced_count: int
    announced_minor: int
    not_raised_count: int
    not_raised_minor: int
    refused_count: int
    refused_minor: int
    set_aside_count: int
    set_aside_minor: int
    open_chunks: int


@dataclass(frozen=True, slots=True)
class Paused:
    """What a pause in force names; what is None does not narrow."""

    provider: str | None
    scheme: str | None
    area_code: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An activation as it is counted at one moment."""

    at: datetime
    """Technical time."""
    announced: Sequence[Announced]
    counts: Sequence[Counted]
    pauses: Sequence[Paused]
    ended_count: int
    ended_seconds: float | None
    """Since the first of those that ended lately; None: none did."""
    awaits_more: bool = False
    """Whether chunks are still to be fetched, of which nobody knows here whose they are: known
    where what was announced is not."""

    def within(self, bound: Bound) -> Self:
        """The same of some districts. What was announced, and how fast payments end, is known of
        chunks, which are of many: of what is still to be fetched some may be theirs."""
        if bound is None:
            return self
        return replace(
            self,
            announced=[],
            counts=[each for each in self.counts if lies_within(bound, each.district_code)],
            pauses=[
                pause
                for pause in self.pauses
                if pause.area_code is None or overlap(bound, pause.area_code)
            ],
            ended_count=0,
            ended_seconds=None,
            awaits_more=any(each.not_raised_count for each in self.announced),
        )

    @property
    def live_count(self) -> int:
        """Payments that have no end yet."""
        return sum(counted.count for counted in self.counts if counted.status in LIVE)

    @property
    def at_rest(self) -> bool:
        """Whether nothing more happens by itself: each chunk is closed or refused, or of some
        districts each payment has its end and none can come."""
        is_open = self.awaits_more or any(each.open_chunks for each in self.announced)
        return not self.live_count and not is_open

    @property
    def last_changed_at(self) -> datetime | None:
        return max((counted.changed_at for counted in self.counts), default=None)

    @property
    def ended_per_minute(self) -> float | None:
        """None where too little ended lately to say it."""
        if self.ended_seconds is None or self.ended_seconds < _SHORTEST_SECONDS:
            return None
        return self.ended_count * 60 / self.ended_seconds if self.ended_count > 0 else None

    @property
    def expected_end_at(self) -> datetime | None:
        """When all has its end if it goes on so; None where that cannot be said."""
        pace = self.ended_per_minute
        left = self.live_count + sum(each.not_raised_count for each in self.announced)
        if not left or pace is None or self.waits():
            return None
        return self.at + timedelta(minutes=left / pace)

    def totals(self) -> "States":
        """Of all of it, by state and currency."""
        return _states(self.counts)

    def groups(self, by: By) -> "dict[str | None, States]":
        """By round, area or provider; None is where nobody knows the area."""
        key = _KEYS[by]
        found: dict[str | None, list[Counted]] = {}
        for counted in self.counts:
            found.setdefault(key(counted), []).append(counted)
        order = sorted(found, key=lambda code: (code is None, len(code or ""), code or ""))
        return {code: _states(found[code]) for code in order}

    def waits(self) -> "list[Wait]":
        """What has no end and goes on only when a person does something."""
        found: list[Wait] = []
        for kind, concerns in _WAITS.items():
            found += _waits(kind, (each for each in self.counts if concerns(each)))
        return found + _paused(self.counts, self.pauses)


@dataclass(frozen=True, slots=True)
class Sum:
    """So many, and what they come to."""

    count: int
    amount_minor: int


States = Mapping[tuple[Status, str], Sum]
"""By state and currency."""


@dataclass(frozen=True, slots=True)
class Wait:
    """So many wait for a person, for the same thing. None: only part of a district does."""

    kind: UnresolvedKind
    currency: str
    count: int | None
    amount_minor: int | None


def _states(counts: Iterable[Counted]) -> States:
    counted: Counter[tuple[Status, str]] = Counter()
    minor: Counter[tuple[Status, str]] = Counter()
    for each in counts:
        counted[each.status, each.currency] += each.count
        minor[each.status, each.currency] += each.amount_minor
    order = list(Status)
    keys = sorted(counted, key=lambda key: (order.index(key[0]), key[1]))
    return {key: Sum(counted[key], minor[key]) for key in keys if counted[key]}


_KEYS: dict[By, Callable[[Counted], str | None]] = {
    By.ROUND: lambda counted: str(counted.round),
    By.PROVINCE: lambda counted: counted.district_code[:_PROVINCE_DIGITS] or None,
    By.DISTRICT: lambda counted: counted.district_code or None,
    By.PROVIDER: lambda counted: counted.provider,
}


def _is_ready_in(status: RoundStatus) -> Callable[[Counted], bool]:
    return lambda counted: counted.status is Status.READY and counted.round_status is status


_WAITS: dict[UnresolvedKind, Callable[[Counted], bool]] = {
    UnresolvedKind.NOT_FUNDED: _is_ready_in(RoundStatus.UNFUNDED),
    UnresolvedKind.NOT_RELEASED: _is_ready_in(RoundStatus.UNAPPROVED),
    UnresolvedKind.HELD_BY_RULE: lambda counted: (
        counted.status is Status.READY
        and counted.withheld
        and counted.round_status is RoundStatus.RELEASED
    ),
    UnresolvedKind.HELD: lambda counted: counted.status is Status.HELD,
}


def _waits(kind: UnresolvedKind, counts: Iterable[Counted]) -> list[Wait]:
    sums: dict[str, Sum] = {}
    for each in counts:
        known = sums.get(each.currency, Sum(0, 0))
        sums[each.currency] = Sum(known.count + each.count, known.amount_minor + each.amount_minor)
    return [Wait(kind, currency, *_both(sums[currency])) for currency in sorted(sums)]


def _both(found: Sum) -> tuple[int, int]:
    return found.count, found.amount_minor


def _paused(counts: Iterable[Counted], pauses: Sequence[Paused]) -> list[Wait]:
    whole: list[Counted] = []
    in_part: set[str] = set()
    for each in filter(_is_ready_in(RoundStatus.RELEASED), counts):
        concerned = [pause for pause in pauses if _concerns(pause, each)]
        if any(_is_whole(pause, each) for pause in concerned):
            whole.append(each)
        elif concerned:
            in_part.add(each.currency)
    known = [wait for wait in _waits(UnresolvedKind.PAUSED, whole) if wait.currency not in in_part]
    unknown = [Wait(UnresolvedKind.PAUSED, each, None, None) for each in sorted(in_part)]
    return known + unknown


def _concerns(pause: Paused, counted: Counted) -> bool:
    area = (pause.area_code or "")[:DISTRICT_DIGITS]
    return (
        pause.provider in (None, counted.provider)
        and pause.scheme in (None, counted.scheme)
        # Of what nobody knows the area, each pause of an area may be meant.
        and (not counted.district_code or counted.district_code.startswith(area))
    )


def _is_whole(pause: Paused, counted: Counted) -> bool:
    return not counted.district_code or len(pause.area_code or "") <= DISTRICT_DIGITS
