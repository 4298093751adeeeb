"""What may happen to an indicator, and when it is judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.indicators import repository
from services.triggers.indicators.schemas import IndicatorIn, IndicatorOut
from services.triggers.indicators.tables import Indicator
from services.triggers.methods.calendar import Calendar, Frequency
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.errors import Conflict, NotFound, Unavailable
from shared.events.progress import ConsumerProgress
from shared.pagination import Page, PageOf

log = structlog.get_logger()

_JUDGING = "judging"


async def create(
    session: AsyncSession, body: IndicatorIn, *, caller: Caller, clock: Clock
) -> IndicatorOut:
    """Register an indicator; raises Conflict when its code is taken."""
    created = await repository.add_indicator(
        session,
        {
            **body.model_dump(),
            "calendar": body.calendar_or_usual().model_dump(mode="json"),
            "created_at": clock.now(),
            "posted_by": caller.subject,
        },
    )
    if created is None:
        raise Conflict(
            f"There is already an indicator '{body.code}', and indicators never change. "
            "Read it with GET /v1/indicators/{code}, or choose another code."
        )
    return IndicatorOut.model_validate(created)


async def get(session: AsyncSession, code: str) -> IndicatorOut:
    """The indicator; raises NotFound."""
    indicator = await repository.find_indicator(session, code)
    if indicator is None:
        raise _unknown(code)
    return IndicatorOut.model_validate(indicator)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the figures of an indicator are read by."""

    calendar: Calendar
    forecast: bool


async def readings(session: AsyncSession, codes: Collection[str]) -> dict[str, Reading]:
    """What the figures of several indicators are read by; raises NotFound."""
    found = {
        row.code: Reading(calendar=Calendar.model_validate(row.calendar), forecast=row.forecast)
        for row in await repository.list_readings(session, codes)
    }
    for code in codes:
        if code not in found:
            raise _unknown(code)
    return found


async def list_page(session: AsyncSession, page: Page) -> PageOf[IndicatorOut]:
    """A page of indicators, by code."""
    rows = await repository.list_indicators(session, after=page.after(str), limit=page.fetch_limit)
    return page.of(
        [IndicatorOut.model_validate(row) for row in rows],
        key=lambda indicator: (indicator.code,),
    )


MAXIMUM_TOGETHER = 1_000
"""So many indicators that are due at once are judged together."""
_SHORTEST = timedelta(microseconds=1)
_CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""No two machines' clocks differ by more, where somebody keeps them."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """That indicators are judged by everything that was recorded until an instant."""

    indicators: tuple[str, ...]
    """Those that are judged; by code."""
    read: tuple[str, ...]
    """Every indicator that their triggers read, themselves among them; by code."""
    known_at: datetime
    screened_until: Mapping[str, datetime | None]
    """By the indicator's code: what of it was recorded until then was screened before."""


async def find_due(session: AsyncSession, *, now: datetime) -> Sequence[str]:
    """The indicator that has been due longest, and others that are judged by the same knowledge."""
    return await repository.find_due(session, now=now, limit=MAXIMUM_TOGETHER)


async def judging_progress(session: AsyncSession, now: datetime) -> Sequence[ConsumerProgress]:
    """The indicators that are due, as work that waits: figures are told to nobody by an event."""
    waiting, failing, oldest_at = await repository.count_due(session, now=now)
    return [
        ConsumerProgress(
            consumer=_JUDGING, waiting=waiting, oldest_waiting_at=oldest_at, failed=failing
        )
    ]


async def cut_knowledge(
    session: AsyncSession, codes: Collection[str], *, read: Collection[str], now: datetime
) -> Cut | None:
    """Fix until which instant figures count; None: another has evaluated the indicators since.

    Of events whatever is there by now counts, of anything else what was there when it was due.
    Whoever records figures of one of these indicators waits for this, and is later. What this
    transaction screens of them, it screens alone.
    """
    locked = await repository.lock(session, read)
    due_at = {
        indicator.code: now if _is_event(indicator) else indicator.judge_at
        for indicator in locked
        if indicator.code in codes and indicator.judge_at is not None and indicator.judge_at <= now
    }
    if not due_at:
        return None
    known_at = min(due_at.values())
    due = tuple(code for code, at in due_at.items() if at == known_at)
    screened_until = {indicator.code: indicator.judged_until for indicator in locked}
    if known_at != end_of_day(known_at):
        # What is screened within a day is doubtful from then on, and not for whoever looks earlier.
        known_at = max(known_at, *(until or known_at for until in screened_until.values()))
    await repository.set_judged_until(session, screened_until.keys(), known_at=known_at)
    return Cut(
        indicators=due,
        read=tuple(screened_until),
        known_at=known_at,
        screened_until=screened_until,
    )


async def screened_until(session: AsyncSession, code: str) -> datetime | None:
    """Until when an indicator's figures were screened; it is this transaction's alone from now."""
    (indicator,) = await repository.lock(session, [code])
    return indicator.judged_until


async def known_from(session: AsyncSession, code: str, *, clock: Clock) -> datetime:
    """The instant at which figures that are recorded now become known; when they are judged is set.

    The indicator is this transaction's alone until it ends: its batches follow each other. Raises
    Unavailable where the clock was set back to before it was judged: what is recorded then would
    not be judged until the clock is there again, and nobody would hear of it.
    """
    (indicator,) = await repository.lock(session, [code])
    now = clock.now()
    if indicator.judged_until is None:
        return now
    if now < indicator.judged_until - _CLOCKS_DIFFER_BY:
        log.error("clock_set_back", indicator=code, judged_until=indicator.judged_until.isoformat())
        raise Unavailable(
            f"The clock says {_told(now)}, and indicator '{code}' was judged by what was known "
            f"until {_told(indicator.judged_until)}: the clock was set back. Nothing was saved. "
            "Set the clock right, and send it again."
        )
    return max(now, indicator.judged_until + _SHORTEST)


async def judge_recorded(session: AsyncSession, code: str, *, recorded_at: datetime) -> datetime:
    """Have the indicator judged with what was recorded at an instant; when it is."""
    (indicator,) = await repository.lock(session, [code])
    at = _judged_at(_calendar(indicator), recorded_at)
    await repository.judge_by(session, [code], at=at)
    return at


async def judge_by(session: AsyncSession, codes: Collection[str], *, at: datetime) -> None:
    """Have indicators judged at an instant, unless they are before."""
    await repository.judge_by(session, codes, at=at)


async def judged(
    session: AsyncSession, cut: Cut, *, next_on: Mapping[str, date], failed: Collection[str]
) -> None:
    """Keep that indicators were judged, and when they are next: by new figures, or by the calendar.

    ``next_on`` has the days on which time alone makes a period due, without those of which it
    never does. Of ``failed`` a trigger could not be.
    """
    locked = await repository.lock(session, cut.indicators)
    unseen = await repository.first_recorded_after(session, cut.indicators, cut.known_at)
    judge_at: dict[str, datetime | None] = {}
    for indicator in locked:
        instants = []
        if indicator.code in next_on:
            instants.append(_midnight(next_on[indicator.code]))
        if indicator.code in unseen:
            instants.append(_judged_at(_calendar(indicator), unseen[indicator.code]))
        judge_at[indicator.code] = min(instants, default=None)
    await repository.set_judge_at(session, judge_at)
    await repository.end_failing(session, judge_at.keys() - failed)


async def judge_later(
    session: AsyncSession, codes: Collection[str], *, at: datetime, now: datetime
) -> None:
    """Put off indicators that could not be judged."""
    await repository.set_judge_at(session, dict.fromkeys(codes, at))
    await repository.set_failing(session, codes, since=now)


def end_of_day(instant: datetime) -> datetime:
    """The midnight in the country that ends the day of an instant; itself where it is one."""
    day = instant.astimezone(COUNTRY_ZONE).date()
    midnight = _midnight(day)
    return midnight if midnight == instant else _midnight(day + timedelta(days=1))


def _judged_at(calendar: Calendar, recorded_at: datetime) -> datetime:
    """Of events at once; of anything else when the day is over, with all that comes on it."""
    if calendar.frequency is Frequency.EVENT:
        return recorded_at
    return _midnight(recorded_at.astimezone(COUNTRY_ZONE).date() + timedelta(days=1))


def _unknown(code: str) -> NotFound:
    return NotFound(f"No indicator has the code '{code}'. GET /v1/indicators lists them.")


def _told(instant: datetime) -> str:
    return f"{instant.astimezone(COUNTRY_ZONE):%Y-%m-%d %H:%M}"


def _midnight(day: date) -> datetime:
    """The instant at which a day begins in the country."""
    return datetime.combine(day, time(), tzinfo=COUNTRY_ZONE)


def _is_event(indicator: Indicator) -> bool:
    return _calendar(indicator).frequency is Frequency.EVENT


def _calendar(indicator: Indicator) -> Calendar:
    return Calendar.model_validate(indicator.calendar)
