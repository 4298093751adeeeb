"""What is asked of a feed's document beyond its shape, and how feeds are shown."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.areas import AreaLevel
from services.triggers.feeds import repository
from services.triggers.feeds.document import FeedDocument, address_of, is_this_machine
from services.triggers.feeds.formats.extents import ExtentsFormat
from services.triggers.feeds.formats.prices import PricesFormat
from services.triggers.feeds.formats.reading import Setting
from services.triggers.feeds.schemas import FeedHealth, FeedOut, PullOut
from services.triggers.feeds.tables import Feed, FeedState
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import IndicatorOut
from services.triggers.quality.units import brought_into
from shared import audit
from shared.clock import COUNTRY_ZONE, Clock
from shared.documents import DocumentKind, VersionOut
from shared.documents import service as documents
from shared.errors import Conflict, NotFound, Unprocessable
from shared.pagination import Page, PageOf
from shared.production import Environment, leads_astray


def require_public(document: FeedDocument, environment: Environment) -> None:
    """Raises Unprocessable for an address that production does not pull from.

    What a name means is judged again at each connection.
    """
    if environment is not Environment.PRODUCTION:
        return
    parts = address_of(document.url)
    host = parts.hostname or ""
    fault = None
    if parts.scheme != "https":
        fault = "It is not https, and what it brings counts without a second person."
    elif is_this_machine(host):
        fault = "It leads back to this machine."
    elif reason := leads_astray(host):
        fault = f"It {reason}."
    if fault is not None:
        raise Unprocessable(
            "This address is not pulled from. Correct it and send the document again.",
            errors=[{"pointer": "/body/url", "detail": fault}],
        )


async def setting_of(session: AsyncSession, document: FeedDocument, *, clock: Clock) -> Setting:
    """What whoever reads an answer, or a file, of a feed knows beside its bytes."""
    levels = {}
    for code in document.format.brings():
        try:
            levels[code] = (await indicators.get(session, code)).area_level
        except NotFound:
            # Its rows are refused, each with that reason.
            continue
    return Setting(
        source=document.source,
        on=clock.today(),
        zone=COUNTRY_ZONE,
        maximum_rows=document.maximum_rows,
        levels=levels,
    )


async def list_pulls(session: AsyncSession, code: str, page: Page) -> PageOf[PullOut]:
    """A page of a feed's pulls, newest first; raises NotFound."""
    await documents.get(session, FEEDS, code)
    rows = await repository.list_pulls(session, code, below=page.after(int), limit=page.fetch_limit)
    return page.of([PullOut.model_validate(row) for row in rows], key=lambda pull: (pull.sequence,))


async def pull_now(session: AsyncSession, code: str) -> FeedHealth:
    """Have a feed pulled at once. Raises NotFound, or Conflict where it is retired."""
    await documents.get(session, FEEDS, code)
    if not await repository.pull_now(session, code):
        raise Conflict(
            f"The feed '{code}' is retired: its version in force says enabled false. Post a "
            "version that says true."
        )
    audit.about(session, f"feeds/{code}")
    return _health((await repository.states(session, [code]))[code])


async def _check(session: AsyncSession, document: FeedDocument) -> None:
    """Raises Conflict where an indicator is unknown, or cannot have such figures."""
    for code in sorted(document.format.brings()):
        try:
            indicator = await indicators.get(session, code)
        except NotFound:
            raise Conflict(
                f"There is no indicator '{code}' yet. Register it with POST /v1/indicators."
            ) from None
        if isinstance(document.format, PricesFormat):
            _require_like_units(document.format, indicator)
        if (
            isinstance(document.format, ExtentsFormat)
            and indicator.area_level is not AreaLevel.COMMUNE
        ):
            raise Conflict(
                f"Extents are laid over communes, and '{code}' is observed by "
                f"{indicator.area_level}. Register an indicator by commune."
            )


def _require_like_units(form: PricesFormat, indicator: IndicatorOut) -> None:
    """Raises Conflict where every price of a series would be set aside for its unit."""
    for series in form.series:
        said = series.said_unit
        if (
            series.indicator == indicator.code
            and said is not None
            and brought_into(Decimal(1), said=said, unit=indicator.unit) is None
        ):
            raise Conflict(
                f"Prices of {series.commodity} are in {said}, and '{indicator.code}' is in "
                f"{indicator.unit}. Register an indicator of their unit and currency."
            )


async def _watch(session: AsyncSession, posted: VersionOut[FeedDocument]) -> None:
    await repository.watch(
        session,
        posted.code,
        posted.version,
        enabled=posted.document.enabled,
        now=posted.posted_at,
    )


async def _beside(
    session: AsyncSession, versions: Sequence[VersionOut[FeedDocument]]
) -> dict[str, dict[str, Any]]:
    found = await repository.states(session, [version.code for version in versions])
    return {code: {"health": _health(state)} for code, state in found.items()}


def _health(state: FeedState) -> FeedHealth:
    return FeedHealth(
        next_pull_at=state.pull_at,
        answered_at=state.answered_at,
        new_at=state.new_at,
        failures=state.failures,
        alarm=state.alarm,
        alarmed_at=state.alarmed_at,
    )


FEEDS = DocumentKind(
    noun="feed",
    path="/v1/feeds",
    table=Feed,
    document=FeedDocument,
    version_out=FeedOut,
    unchanging=("source", "format_kind"),
    check=_check,
    after=_watch,
    beside=_beside,
)
"""Feeds as a kind of document."""
