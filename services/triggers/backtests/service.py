"""Asking for a backtest, reading it, and working through those that wait."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.backtests import repository
from services.triggers.backtests.curve import curve_of, variants
from services.triggers.backtests.document import BacktestIn, GivenHistory, figures_of
from services.triggers.backtests.places import Place, Places
from services.triggers.backtests.report import Report
from services.triggers.backtests.schemas import BacktestDetail, BacktestOut
from services.triggers.backtests.states import BacktestState
from services.triggers.backtests.tables import Backtest
from services.triggers.backtests.trial import Told, Trial, refused, told
from services.triggers.backtests.trying import report_of
from services.triggers.checks.asking import RegistryAway
from services.triggers.checks.service import Checks
from services.triggers.definitions import service as definitions
from services.triggers.definitions.document import Leg, TriggerDocument
from services.triggers.evaluations.due import Known
from services.triggers.evaluations.service import knowledge_now
from services.triggers.methods.calendar import Calendar
from services.triggers.methods.indicator_kind import IndicatorKind
from services.triggers.methods.registry import method_of
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database, may_pass
from shared.errors import Busy, Conflict, NotFound, Unprocessable, account_of
from shared.ids import new_id
from shared.pagination import Page, PageOf
from shared.values import STORED

log = structlog.get_logger()

MAXIMUM_RECORDED_FIGURES = 1_000_000
MAXIMUM_AREAS_ASKED = 500
MAXIMUM_WAITING = 50
_MAXIMUM_FAULTS = 50
_MAXIMUM_ATTEMPTS = 3
_LEASE_SECONDS = 300

_MONEY_AWAY = (
    "The registry did not answer, so there is no money in this report. Post the backtest again "
    "once it does."
)
_TOO_MANY_AREAS = (
    f"More than {MAXIMUM_AREAS_ASKED} areas are in it, so the registry was not asked who lives "
    "there, and there is no money in this report. Try fewer years at a time."
)


async def ask(
    session: AsyncSession, body: BacktestIn, *, caller: Caller, clock: Clock
) -> BacktestOut:
    """Keep what is asked for a worker.

    Raises NotFound for a trigger that was never posted, Conflict where a leg has no history,
    Unprocessable for figures that are none, and Busy.
    """
    if await repository.count_waiting(session) >= MAXIMUM_WAITING:
        raise Busy("Too many backtests wait already. Send it again in a few minutes.")
    version = None
    document = body.document
    if body.trigger is not None:
        posted = (
            await definitions.get(session, body.trigger.code)
            if body.trigger.version is None
            else await definitions.get_version(session, body.trigger.code, body.trigger.version)
        )
        document, version = posted.document, posted.version
    assert document is not None
    if because := refused(document):
        raise Unprocessable(because)
    await _require_history(session, body, document)
    asked = body.model_copy(update={"trigger": None, "document": document})
    values = 0 if body.vary is None else len(set(body.vary.values))
    row = await repository.add(
        session,
        {
            "id": new_id(),
            "name": body.name,
            "trigger_code": document.code,
            "trigger_version": version,
            "state": BacktestState.WAITING,
            "asked_by": caller.subject,
            "asked_at": clock.now(),
            "asked": asked.model_dump(mode="json"),
            "steps": 2 + values,
        },
    )
    return BacktestOut.model_validate(row)


async def get(session: AsyncSession, backtest_id: UUID) -> BacktestDetail:
    """The backtest; raises NotFound."""
    row = await repository.find(session, backtest_id)
    if row is None:
        raise NotFound("There is no such backtest. GET /v1/backtests lists them.")
    return BacktestDetail.model_validate(row)


async def finished(session: AsyncSession, backtest_id: UUID) -> Report:
    """The report of a backtest; raises NotFound, and Conflict while there is none."""
    found = await get(session, backtest_id)
    if found.report is None:
        raise Conflict(
            found.failure
            or f"The backtest is {found.state}: {found.steps_done} of {found.steps} steps are "
            "done. Ask again in a few seconds."
        )
    return found.report


async def list_page(
    session: AsyncSession, *, trigger: str | None, page: Page
) -> PageOf[BacktestOut]:
    """A page of backtests, newest first."""
    rows = await repository.list_backtests(
        session, trigger=trigger, before=page.after(datetime, UUID), limit=page.fetch_limit
    )
    return page.of(
        [BacktestOut.model_validate(row) for row in rows],
        key=lambda backtest: (backtest.asked_at, backtest.id),
    )


class Trying:
    """Works through the backtests that wait, one at each step."""

    def __init__(self, database: Database, *, checks: Checks, clock: Clock) -> None:
        self._database = database
        self._checks = checks
        self._clock = clock

    async def step(self) -> int:
        """Try one; 0 when none waits."""
        async with self._database.transaction() as session:
            claim = await repository.claim(session, lease_seconds=_LEASE_SECONDS)
        if claim is None:
            return 0
        if claim.attempts > _MAXIMUM_ATTEMPTS:
            await self._fail(
                claim,
                f"It was begun {_MAXIMUM_ATTEMPTS} times and never came to an end. Try a shorter "
                "span, or fewer values of the curve.",
            )
            return 1
        try:
            await self._try(claim)
        except Exception as error:
            if may_pass(error):
                raise
            log.error("backtest_failed", backtest=str(claim.id), **account_of(error))
            await self._fail(
                claim,
                "It could not be computed, and the fault is not in what you sent: an operator "
                f"finds the reason in the worker's log by {claim.id}.",
            )
        return 1

    async def _try(self, claim: Row[Any]) -> None:
        async with self._database.transaction() as session:
            row = await repository.find(session, claim.id)
            assert row is not None
            trial, asked = _trial(row, today=self._clock.today())
            given = {history.indicator for history in asked.figures}
            recorded = sorted(set(trial.document.indicators) - given)
            count = await repository.count_figures(session, recorded)
            if count > MAXIMUM_RECORDED_FIGURES:
                known: Mapping[str, Known] = {}
            else:
                known = await knowledge_now(session, recorded, clock=self._clock)
        if count > MAXIMUM_RECORDED_FIGURES:
            await self._fail(
                claim,
                f"{count:,} figures are recorded of its indicators, and a backtest reads "
                f"{MAXIMUM_RECORDED_FIGURES:,} at most. Try fewer legs.",
            )
            return
        known = {**known, **given_histories(trial.document, asked.figures)}
        said = await asyncio.to_thread(told, trial, known)
        await self._progress(claim)
        tried: list[tuple[float, Told | str]] = []
        for value, variant in variants(trial, asked.vary):
            if isinstance(variant, Trial):
                tried.append((value, await asyncio.to_thread(told, variant, known)))
            else:
                tried.append((value, variant))
            await self._progress(claim)
        every = [said, *(each for _, each in tried if isinstance(each, Told))]
        places, remark = await self._places(claim, trial.document, every)
        report = await asyncio.to_thread(report_of, said, places)
        curve = curve_of(
            [
                (value, report_of(each, places) if isinstance(each, Told) else each)
                for value, each in tried
            ]
        )
        report = report.model_copy(
            update={
                "pointer": asked.vary.pointer if asked.vary else None,
                "curve": curve,
                "remarks": [*report.remarks, *([remark] if remark else [])],
            }
        )
        async with self._database.transaction() as session:
            await repository.finish(
                session, claim, report.model_dump(mode="json"), at=self._clock.now()
            )

    async def _places(
        self, claim: Row[Any], document: TriggerDocument, every: Iterable[Told]
    ) -> tuple[Places, str | None]:
        """Who would be enrolled in each area, by the registry as it is now, or why nobody says."""
        areas = sorted(set().union(*(said.areas for said in every)))
        if len(areas) > MAXIMUM_AREAS_ASKED:
            return Places(), _TOO_MANY_AREAS
        found, currency = {}, None
        try:
            for area in areas:
                estimate = await self._checks.estimate(
                    [area], area_filter=document.area_filter, scheme=document.scheme
                )
                if estimate.households is not None and estimate.amount_minor is not None:
                    found[area] = Place(
                        households=estimate.households, amount_minor=estimate.amount_minor
                    )
                    currency = estimate.currency
        except RegistryAway:
            return Places(), _MONEY_AWAY
        await self._progress(claim)
        return Places(by_area=found, currency=currency), None

    async def _progress(self, claim: Row[Any]) -> None:
        async with self._database.transaction() as session:
            await repository.progress(session, claim, lease_seconds=_LEASE_SECONDS)

    async def _fail(self, claim: Row[Any], because: str) -> None:
        async with self._database.transaction() as session:
            await repository.fail(session, claim, because, at=self._clock.now())


def _trial(row: Backtest, *, today: date) -> tuple[Trial, BacktestIn]:
    """What was asked, as it was taken then."""
    asked = BacktestIn.model_validate(row.asked, context=STORED)
    assert asked.document is not None
    trial = trial_of(asked, asked.document, version=row.trigger_version)
    return replace(trial, today=today), asked


def trial_of(asked: BacktestIn, document: TriggerDocument, *, version: int | None = None) -> Trial:
    """What is tried, of what was asked."""
    return Trial(
        document=document,
        version=version,
        first_on=asked.first_on,
        last_on=asked.last_on,
        events=asked.events,
        window=asked.window,
        assume_published_after_days=asked.assume_published_after_days,
    )


def given_histories(
    document: TriggerDocument, histories: Iterable[GivenHistory]
) -> dict[str, Known]:
    return {
        given.indicator: Known(
            calendar=given.calendar or usual_calendar(document, given.indicator),
            figures=figures_of(given),
        )
        for given in histories
    }


def usual_calendar(document: TriggerDocument, indicator: str) -> Calendar:
    """Of a history that says none: as the first leg of it judges, or its kind of indicator."""
    leg = next(leg for leg in document.legs if leg.indicator == indicator)
    method = method_of(leg.method)
    return method.calendar or method.indicator_kinds[0].calendar


async def _require_history(
    session: AsyncSession, body: BacktestIn, document: TriggerDocument
) -> None:
    given = {history.indicator: history for history in body.figures}
    if surplus := sorted(set(given) - set(document.indicators)):
        raise Unprocessable(f"No leg judges {', '.join(surplus)}. Leave out its figures.")
    for leg in document.legs:
        if leg.indicator not in given:
            await definitions.require_fitting_indicator(session, leg)
    faults = [
        fault
        for place, history in enumerate(body.figures)
        for fault in _faults_of(history, document.legs, at=f"/body/figures/{place}/observations")
    ]
    if faults:
        raise Unprocessable(
            "Some of the figures are none. Correct what is listed under errors.",
            errors=faults[:_MAXIMUM_FAULTS],
        )


def _faults_of(history: GivenHistory, legs: Iterable[Leg], *, at: str) -> Sequence[dict[str, str]]:
    """What is wrong with figures that are given, as the kind of indicator that suits them best."""
    leg = next(leg for leg in legs if leg.indicator == history.indicator)
    kinds = method_of(leg.method).indicator_kinds
    return min((list(_faults_as(kind, history, at=at)) for kind in kinds), key=len)


def _faults_as(kind: IndicatorKind, history: GivenHistory, *, at: str) -> Iterable[dict[str, str]]:
    for place, row in enumerate(history.observations):
        if row.observed_on > row.published_on and not history.forecast:
            yield {
                "pointer": f"{at}/{place}/observed_on",
                "detail": "Only a forecast is published before the day that it is about.",
            }
        for fault in kind.faults_of(row):
            yield {"pointer": f"{at}/{place}/{fault.field}", "detail": fault.detail}
