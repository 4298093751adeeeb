"""What may be recorded, and what is told when it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.areas import level_of
from services.triggers.checks.service import UNKNOWN_AREA, AreasChecked
from services.triggers.definitions import service as definitions
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import KINDS, IndicatorOut
from services.triggers.methods.indicator_kind import IndicatorKind, RowFault
from services.triggers.observations import repository, screening, sifting
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import (
    MAXIMUM_ROWS_BY_HAND,
    ObservationIn,
    ObservationOut,
    ObservationsIn,
    RecordedOut,
    Wanted,
)
from services.triggers.scopes import PUBLISH
from shared import audit
from shared.approvals import ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import ObservationsRecorded
from shared.errors import Conflict, NotFound, Unprocessable
from shared.events import publish
from shared.pagination import Page, PageOf

_PROBLEMS_TOLD = 50


def is_publisher(caller: Caller) -> bool:
    """Whether figures are taken from a caller at once: from a publisher's own client alone."""
    return PUBLISH in caller.scopes and not caller.is_person


async def needs_second_person(session: AsyncSession, indicator: str, *, caller: Caller) -> bool:
    """Whether what the caller posts about an indicator waits for another person."""
    return not is_publisher(caller) and await definitions.is_read(session, indicator)


async def propose(
    session: AsyncSession,
    steps: Steps,
    body: ObservationsIn,
    *,
    areas: AreasChecked,
    caller: Caller,
    clock: Clock,
) -> ApprovalOut:
    """Keep a batch until a second person approves it; it is checked whole now.

    Raises Conflict for an unknown indicator, and Unprocessable where any row is wrong, or there
    are more than a person can look through.
    """
    indicator = await _checked(session, body, areas=areas, clock=clock)
    if len(body.observations) > MAXIMUM_ROWS_BY_HAND:
        raise Unprocessable(
            f"A second person looks through what is posted by hand: send {MAXIMUM_ROWS_BY_HAND} "
            "rows at most in one batch."
        )
    doubtful = await _doubtful(session, indicator, body.observations, clock=clock)
    doubted = f" Doubtful by what is known now: {_counted(doubtful, 'value')}." if doubtful else ""
    named = sorted({row.area for row in body.observations})
    days = sorted({row.observed_on for row in body.observations})
    sources = sorted({row.source for row in body.observations})
    return await approvals.propose(
        session,
        steps,
        ApprovalKind.OBSERVATIONS,
        {
            "batch": body.as_posted(),
            "areas_unchecked": sorted(areas.unchecked),
        },
        Effect(
            what=f"Record {_counted(len(body.observations), 'value')} of '{indicator.code}' by "
            f"{', '.join(sources[:5])}, of {days[0]} to {days[-1]}, in "
            f"{_counted(len(named), 'area')}. A trigger in force reads this indicator.{doubted}",
        ),
        reason=None,
        caller=caller,
        clock=clock,
    )


@dataclass(frozen=True, kw_only=True)
class New:
    """Rows of a batch that are not known, nor set aside, as they are."""

    rows: Sequence[ObservationIn]
    doubtful: int
    """How many of them are doubtful by what is known now."""


async def new_of(
    session: AsyncSession, body: ObservationsIn, *, areas: AreasChecked, clock: Clock
) -> New:
    """What a batch would add, checked whole and not saved. Raises as ``record`` does."""
    indicator = await _checked(session, body, areas=areas, clock=clock)
    rows = await sifting.unheard(session, indicator, body.observations)
    return New(rows=rows, doubtful=await _doubtful(session, indicator, rows, clock=clock))


async def record(
    session: AsyncSession,
    body: ObservationsIn,
    *,
    areas: AreasChecked,
    hands: Hands,
    clock: Clock,
) -> RecordedOut:
    """Save a batch, with one event for what is new in it; set aside what is doubtful by itself.

    What is saved is held against its series when the indicator is judged.
    Raises Conflict for an unknown indicator, and Unprocessable, with the rows at fault, where any
    row is wrong: nothing is saved then.
    """
    indicator = await _checked(session, body, areas=areas, clock=clock)
    recorded_at = await indicators.known_from(session, indicator.code, clock=clock)
    sifted = await sifting.sift(session, indicator, body.observations)
    await sifting.set_aside(
        session, indicator, body.observations, sifted.doubted, hands=hands, clock=clock
    )
    recorded = await _keep(
        session, indicator, sifted.sound, recorded_at=recorded_at, hands=hands, clock=clock
    )
    received = len(body.observations)
    await audit.record(
        session,
        f"indicators/{indicator.code}",
        after={
            "received": received,
            "recorded": recorded.count,
            "set_aside": len(sifted.doubted),
        },
    )
    return RecordedOut(
        indicator=indicator.code,
        received=received,
        recorded=recorded.count,
        unchanged=received - recorded.count - len(sifted.doubted),
        set_aside=len(sifted.doubted),
        old=sifted.old,
        judged_at=recorded.judged_at,
        areas_unchecked=sorted(areas.unchecked),
    )


async def record_released(
    session: AsyncSession,
    indicator: IndicatorOut,
    rows: Sequence[ObservationIn],
    *,
    recorded_at: datetime,
    hands: Hands,
    clock: Clock,
) -> None:
    """Save rows that were doubtful, as a person vouches for them, with one event.

    What contradicts a figure of the same day stands in place of it from now on.
    """
    rows = await repository.as_latest_issues(session, indicator.code, rows)
    await _keep(session, indicator, rows, recorded_at=recorded_at, hands=hands, clock=clock)


async def list_page(
    session: AsyncSession, indicator: str, wanted: Wanted, *, page: Page
) -> PageOf[ObservationOut]:
    """A page of an indicator's observations in the order of recording; raises NotFound."""
    await indicators.get(session, indicator)
    rows = await repository.list_observations(
        session, indicator, wanted, after=page.after(int) or 0, limit=page.fetch_limit
    )
    return page.of(
        [ObservationOut.model_validate(row) for row in rows],
        key=lambda observation: (observation.sequence,),
    )


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """How many rows were new, and when they are judged; None: nothing was new."""

    count: int
    judged_at: datetime | None = None


async def _keep(
    session: AsyncSession,
    indicator: IndicatorOut,
    rows: Sequence[ObservationIn],
    *,
    recorded_at: datetime,
    hands: Hands,
    clock: Clock,
) -> _Kept:
    recorded = await repository.record(
        session,
        indicator.code,
        rows,
        forecast=indicator.forecast,
        recorded_at=recorded_at,
        hands=hands,
    )
    if recorded.first_on is None or recorded.last_on is None:
        return _Kept(count=0)
    judged_at = await indicators.judge_recorded(session, indicator.code, recorded_at=recorded_at)
    fact = ObservationsRecorded(
        indicator=indicator.code,
        count=recorded.count,
        first_on=recorded.first_on,
        last_on=recorded.last_on,
    )
    await publish(session, fact, clock=clock)
    return _Kept(count=recorded.count, judged_at=judged_at)


async def _doubtful(
    session: AsyncSession, indicator: IndicatorOut, rows: Sequence[ObservationIn], *, clock: Clock
) -> int:
    """How many rows are doubtful, by themselves or beside what is known now."""
    sifted = await sifting.sift(session, indicator, rows)
    beside = await screening.doubtful_now(session, indicator, sifted.sound, clock=clock)
    return len(sifted.doubted) + beside


async def _checked(
    session: AsyncSession, body: ObservationsIn, *, areas: AreasChecked, clock: Clock
) -> IndicatorOut:
    """The batch's indicator; raises Conflict where there is none, and Unprocessable."""
    try:
        indicator = await indicators.get(session, body.indicator)
    except NotFound:
        raise Conflict(
            f"There is no indicator '{body.indicator}' yet. Register it with POST /v1/indicators."
        ) from None
    _check(body, areas=areas, indicator=indicator, today=clock.today())
    return indicator


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _check(
    body: ObservationsIn, *, areas: AreasChecked, indicator: IndicatorOut, today: date
) -> None:
    if body.unit != indicator.unit:
        raise Unprocessable(
            f"Indicator '{indicator.code}' is in {indicator.unit}. Convert the values, or register "
            "another indicator for the other unit."
        )
    problems: list[dict[str, str]] = []
    seen: set[tuple[object, ...]] = set()
    for position, row in enumerate(body.observations):
        pointer = f"/body/observations/{position}"
        problems += [
            {"pointer": f"{pointer}/{fault.field}", "detail": fault.detail}
            for fault in _faults_of(row, areas=areas, indicator=indicator, today=today)
        ]
        key = row.key
        if key in seen:
            problems.append(
                {
                    "pointer": pointer,
                    "detail": "The same area, place, source, member, observed_on, published_on "
                    "and issue came before in this batch. Send one value for each.",
                }
            )
        seen.add(key)
    if problems:
        raise Unprocessable(
            "Nothing of this batch was saved. Correct the rows listed under errors (faults found: "
            f"{len(problems)}, rows sent: {len(body.observations)}) and send it again.",
            errors=problems[:_PROBLEMS_TOLD],
        )


def _faults_of(
    row: ObservationIn, *, areas: AreasChecked, indicator: IndicatorOut, today: date
) -> list[RowFault]:
    faults = []
    if row.area in areas.unknown:
        faults.append(RowFault("area", UNKNOWN_AREA))
    kind = KINDS[indicator.kind]
    if not kind.takes(level_of(row.area), observed_by=indicator.area_level):
        larger = ", or that of a larger area for its total" if kind.with_totals else ""
        faults.append(
            RowFault(
                "area",
                f"This indicator is observed by {indicator.area_level}; give such a code{larger}.",
            )
        )
    if row.member is not None and not indicator.forecast:
        faults.append(RowFault("member", "Only a forecast has members. Leave it out."))
    faults += _faults_of_details(row, kind=kind)
    if row.published_on > today:
        faults.append(RowFault("published_on", f"It lies after today, {today}."))
    if row.observed_on > row.published_on and not indicator.forecast:
        faults.append(RowFault("observed_on", "It lies after published_on."))
    return [*faults, *_faults_of_kind(row, indicator=indicator)]


def _faults_of_kind(row: ObservationIn, *, indicator: IndicatorOut) -> Sequence[RowFault]:
    """What the kind says of a row as it is kept; a value in a unit that is none is set aside."""
    kind = KINDS[indicator.kind]
    brought = sifting.in_unit(row, unit=indicator.unit)
    if brought is not None:
        return kind.faults_of(brought)
    return [fault for fault in kind.faults_of(row) if fault.field != "value"]


def _faults_of_details(row: ObservationIn, *, kind: IndicatorKind) -> list[RowFault]:
    if kind.details is None:
        if row.details is None:
            return []
        return [RowFault("details", f"An indicator of kind {kind.code} has none. Leave it out.")]
    try:
        kind.details.model_validate(row.details)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in ("details", *first["loc"]))
        return [RowFault(where, f"{first['msg']}.")]
    return []
