"""Evaluating triggers by what was known at an instant.

An indicator is due when it has new figures, or when the waiting for a period of it ends. The
instant up to which its figures count is fixed first, under its lock and in a transaction of its
own, which sets aside what of them is doubtful: whatever is recorded later bears a later one. By
then nothing that happens beside the evaluation can change what it sees, and it can be made again.

The histories of its triggers are told on from where each stood, many together: what they need is
read by a few statements, and what is new of them is kept by a few, in one transaction. Figures are
read of those indicators alone of which something may be due since.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.evaluations import repository
from services.triggers.evaluations.due import (
    Known,
    is_due_by_time,
    last_day_of_publication,
    next_due,
)
from services.triggers.evaluations.history import tell_on
from services.triggers.evaluations.keeping import Evaluated, keep
from services.triggers.evaluations.repository import Days
from services.triggers.evaluations.schemas import EvaluationOut
from services.triggers.evaluations.standing import STANDING, Standing
from services.triggers.indicators import service as indicators
from services.triggers.indicators.service import Cut
from services.triggers.methods.trigger_stage import TriggerStage
from services.triggers.observations import repository as observations
from services.triggers.observations import screening
from shared.approvals import Steps
from shared.clock import COUNTRY_ZONE, Clock
from shared.database import Database, may_pass
from shared.errors import account_of
from shared.pagination import Page, PageOf
from shared.version import VERSION

log = structlog.get_logger()

_AGAIN_AFTER = timedelta(minutes=1)
"""When an indicator whose evaluation fails is tried again: its neighbours go on."""
_TOGETHER = 100
"""So many triggers are evaluated together, and kept in one transaction."""


class Judging:
    """Evaluates the triggers of indicators that are due by the same knowledge, at each step."""

    def __init__(self, database: Database, *, steps: Steps, clock: Clock) -> None:
        self._database = database
        self._steps = steps
        self._clock = clock

    async def step(self) -> int:
        """Evaluate what is due longest, and what goes with it; how many indicators that were."""
        async with self._database.transaction() as session:
            due = await indicators.find_due(session, now=self._clock.now())
        if due and not await self._judge(due) and len(due) > 1:
            # What cannot be judged is put off by itself: its neighbours go on.
            for indicator in due:
                await self._judge([indicator])
        return len(due)

    async def _judge(self, due: Sequence[str]) -> bool:
        """Evaluate the triggers of some indicators together; whether it could be done.

        One alone that cannot be judged is tried again later.
        """
        try:
            async with self._database.transaction() as session:
                triggers = await definitions.enabled_for(session, due)
                cut = await self._cut(session, due, triggers)
            if cut is not None:
                await self._evaluate(cut, triggers)
        except Exception as error:
            if may_pass(error):
                raise
            log.error("indicators_not_judged", indicators=list(due), **account_of(error))
            if len(due) == 1:
                async with self._database.transaction() as session:
                    await self._judge_later(session, due)
            return False
        return True

    async def _cut(
        self, session: AsyncSession, due: Sequence[str], triggers: Sequence[Trigger]
    ) -> Cut | None:
        """Fix what is known, and set aside what of it is doubtful and was not looked at before."""
        read = {*due, *(code for trigger in triggers for code in trigger.document.indicators)}
        cut = await indicators.cut_knowledge(session, due, read=read, now=self._clock.now())
        if cut is not None:
            await screening.screen(
                session, cut.screened_until, until=cut.known_at, clock=self._clock
            )
        return cut

    async def _evaluate(self, cut: Cut, triggers: Sequence[Trigger]) -> None:
        on = day_of(cut.known_at)
        untold: set[str] = set()
        next_on: dict[str, date] = {}
        for together in _batches(triggers):
            evaluated = await self._tell(cut, together, on=on)
            told = {each.trigger.code for each in evaluated}
            untold.update(
                code
                for trigger in together
                if trigger.code not in told
                for code in trigger.document.indicators
            )
            for code, day in (lapse for each in evaluated for lapse in each.lapses()):
                if code in cut.indicators:
                    next_on[code] = min(day, next_on.get(code, day))
            async with self._database.transaction() as session:
                await keep(session, evaluated, cut=cut, on=on, steps=self._steps, clock=self._clock)
        read = {code for trigger in triggers for code in trigger.document.indicators}
        async with self._database.transaction() as session:
            next_on |= await _next_due(
                session, read.intersection(cut.indicators), on=on, known_at=cut.known_at
            )
            await indicators.judged(session, cut, next_on=next_on, failed=untold)
            await self._judge_later(session, untold.intersection(cut.indicators))

    async def _tell(self, cut: Cut, triggers: Sequence[Trigger], *, on: date) -> list[Evaluated]:
        """The histories of triggers, told on from where they stood; without those that fail."""
        async with self._database.reading() as session:
            since = await _standings(session, triggers, on=on, known_at=cut.known_at)
            needed = await _needed(session, triggers, since, on=on, known_at=cut.known_at)
            known = await knowledge(session, needed, known_at=cut.known_at)
        # A country's history takes a while to tell, and nothing else may wait for it.
        return await asyncio.to_thread(_told, triggers, known, since, on=on)

    async def _judge_later(self, session: AsyncSession, codes: Collection[str]) -> None:
        now = self._clock.now()
        await indicators.judge_later(session, codes, at=now + _AGAIN_AFTER, now=now)


def _batches(triggers: Sequence[Trigger]) -> Iterator[Sequence[Trigger]]:
    for first in range(0, len(triggers), _TOGETHER):
        yield triggers[first : first + _TOGETHER]


async def _standings(
    session: AsyncSession, triggers: Sequence[Trigger], *, on: date, known_at: datetime
) -> dict[str, Standing]:
    """By trigger, where it stood; without those whose history is to be told from its beginning."""
    found = await repository.find_standings(
        session,
        {trigger.code: trigger.version for trigger in triggers},
        on=on,
        known_at=known_at,
        told_by=VERSION,
    )
    return {trigger: STANDING.validate_json(standing) for trigger, standing in found.items()}


async def _needed(
    session: AsyncSession,
    triggers: Sequence[Trigger],
    since: Mapping[str, Standing],
    *,
    on: date,
    known_at: datetime,
) -> frozenset[str]:
    """The indicators of which something may be due that is not told yet."""
    untold: set[str] = set()
    told_to: dict[str, date] = {}
    for trigger in triggers:
        standing = since.get(trigger.code)
        for code in trigger.document.indicators:
            if standing is None:
                untold.add(code)
            else:
                told_to[code] = min(standing.told_to, told_to.get(code, standing.told_to))
        if standing is not None:
            untold |= {trigger.document.legs[leg].indicator for leg in standing.lapsed(on)}
    readings = await indicators.readings(session, told_to)
    days = [
        Days(
            indicator=code,
            after=told_to[code],
            until=last_day_of_publication(reading.calendar, on=on),
            begin_at=_end_of(told_to[code]),
        )
        for code, reading in readings.items()
    ]
    published = await repository.find_published(
        session, [each for each in days if each.after < each.until], known_at=known_at
    )
    by_time = {
        code
        for code, reading in readings.items()
        if is_due_by_time(reading.calendar, forecast=reading.forecast, after=told_to[code], on=on)
    }
    return published | by_time | untold


async def _next_due(
    session: AsyncSession, codes: Collection[str], *, on: date, known_at: datetime
) -> dict[str, date]:
    """When time alone makes a period of each indicator due next, if it does; by code."""
    readings = await indicators.readings(session, codes)
    known = await observations.with_figures(session, codes, known_at=known_at)
    found = {
        code: next_due(reading.calendar, forecast=reading.forecast, on=on)
        for code, reading in readings.items()
        if code in known
    }
    return {code: day for code, day in found.items() if day is not None}


def _told(
    triggers: Sequence[Trigger],
    known: Mapping[str, Known],
    since: Mapping[str, Standing],
    *,
    on: date,
) -> list[Evaluated]:
    evaluated = []
    for trigger in triggers:
        try:
            told = tell_on(trigger.document, known, on=on, since=since.get(trigger.code))
        except Exception as error:
            # What one rule cannot bear concerns that rule: the others on the indicator go on.
            log.error("trigger_not_judged", trigger=trigger.code, **account_of(error))
            continue
        evaluated.append(Evaluated(trigger=trigger, told=told, on=on))
    return evaluated


async def knowledge(
    session: AsyncSession,
    codes: Collection[str],
    *,
    known_at: datetime,
    without: Collection[int] = (),
) -> dict[str, Known]:
    """What was known of some indicators at an instant; rows of ``without`` are left out."""
    readings = await indicators.readings(session, codes)
    figures = await observations.figures(
        session,
        {code: reading.forecast for code, reading in readings.items()},
        known_at=known_at,
        without=without,
    )
    return {
        code: Known(calendar=reading.calendar, figures=figures[code])
        for code, reading in readings.items()
    }


async def knowledge_now(
    session: AsyncSession, codes: Collection[str], *, clock: Clock
) -> dict[str, Known]:
    """What some indicators would be judged by if they were judged now.

    What was not held against its series yet is, as judging does, and nothing of that is kept.
    """
    now = clock.now()
    doubtful: list[int] = []
    for code in codes:
        doubtful += await screening.would_set_aside(session, code, until=now, clock=clock)
    return await knowledge(session, codes, known_at=now, without=doubtful)


def _end_of(day: date) -> datetime:
    """The midnight in the country that ends a day."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=COUNTRY_ZONE)


def day_of(instant: datetime) -> date:
    """The day in the country's zone on which an instant lies."""
    return instant.astimezone(COUNTRY_ZONE).date()


async def list_page(
    session: AsyncSession, trigger: str, *, stage: TriggerStage | None, page: Page
) -> PageOf[EvaluationOut]:
    """A page of a trigger's evaluations, newest first; raises NotFound."""
    await definitions.get(session, trigger)
    rows = await repository.list_evaluations(
        session,
        trigger,
        stage=stage,
        below=page.after(datetime, date, UUID),
        limit=page.fetch_limit,
    )
    return page.of(
        [EvaluationOut.model_validate(row) for row in rows],
        key=lambda evaluation: (
            evaluation.evaluated_at,
            evaluation.judged_on,
            evaluation.id,
        ),
    )
