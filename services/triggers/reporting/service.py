"""What is there of an indicator, what is missing, and what is doubtful."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.doubtful import repository as doubtful
from services.triggers.indicators import service as indicators
from services.triggers.quality.reporting import reporting_of
from services.triggers.reporting import repository
from services.triggers.reporting.schemas import (
    GapOut,
    LastFigureOut,
    QualityOut,
    ReporterOut,
    SetAsideOut,
)
from shared.clock import Clock

_LOOKS_BACK_DAYS = 400
_TOLD = 500


async def quality_of(session: AsyncSession, code: str, *, clock: Clock) -> QualityOut:
    """The state of an indicator's figures today; raises NotFound."""
    await indicators.get(session, code)
    today = clock.today()
    last = await repository.last_figure(session, code)
    figures = await repository.reported(session, code, days=_LOOKS_BACK_DAYS)
    reporting = reporting_of(figures, today=today)
    waiting = await doubtful.waiting_by_reason(session, code)
    return QualityOut(
        indicator=code,
        last=None
        if last is None
        else LastFigureOut(
            observed_on=last.observed_on,
            published_on=last.published_on,
            recorded_at=last.recorded_at,
            age_days=(today - last.observed_on).days,
        ),
        every=reporting.every,
        places_expected=reporting.expected,
        places_reporting=reporting.reporting,
        silent=[
            ReporterOut(area=reporter.area, place=reporter.place)
            for reporter in reporting.silent[:_TOLD]
        ],
        gaps=[
            GapOut(
                area=gap.reporter.area,
                place=gap.reporter.place,
                first_on=gap.first_on,
                last_on=gap.last_on,
                periods=gap.periods,
            )
            for gap in reporting.gaps[:_TOLD]
        ],
        periods_without_any=reporting.periods_without_any,
        set_aside=SetAsideOut(
            waiting=sum(count for _, count, _ in waiting),
            by_reason={reason: count for reason, count, _ in waiting},
            oldest_at=min((oldest for _, _, oldest in waiting), default=None),
        ),
    )
