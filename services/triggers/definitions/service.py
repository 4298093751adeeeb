"""What may happen to a trigger: it is posted, and gets further versions."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions import repository
from services.triggers.definitions.schemas import TriggerDocument, TriggerOut
from services.triggers.definitions.tables import TriggerDefinition
from services.triggers.indicators import service as indicators
from services.triggers.indicators.schemas import IndicatorKind
from services.triggers.methods.price_spike import PriceSpike
from services.triggers.methods.reported_impact import ReportedImpact
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.pagination import Page, PageOf, decode_cursor, page_of

_KIND_FOR = {
    PriceSpike: IndicatorKind.PRICE,
    ReportedImpact: IndicatorKind.HOUSEHOLDS_AFFECTED,
}


async def create(
    session: AsyncSession, document: TriggerDocument, *, caller: Caller, clock: Clock
) -> TriggerOut:
    """Post a trigger's first version; raises Conflict when the code is taken."""
    await _require_fitting_indicator(session, document)
    return await _add(session, document, version=1, caller=caller, clock=clock)


async def add_version(
    session: AsyncSession, code: str, document: TriggerDocument, *, caller: Caller, clock: Clock
) -> TriggerOut:
    """Post a further version, in force at once.

    Raises NotFound, or Conflict when the document is about another trigger: a new scheme,
    indicator or method would give an activation that is under way another meaning.
    """
    latest = await get(session, code)
    if document.code != code:
        raise Conflict(f"The document is of '{document.code}'. Post it under that code.")
    for field in ("indicator", "scheme", "shock"):
        if getattr(document, field) != getattr(latest.document, field):
            raise Conflict(
                f"All versions of '{code}' share one {field}. Post another trigger instead."
            )
    if document.method.kind != latest.document.method.kind:
        raise Conflict(f"All versions of '{code}' share one method. Post another trigger instead.")
    return await _add(session, document, version=latest.version + 1, caller=caller, clock=clock)


async def get(session: AsyncSession, code: str) -> TriggerOut:
    """The version in force; raises NotFound."""
    version = await repository.latest_version(session, code)
    if version is None:
        raise NotFound(f"No trigger has the code '{code}'. GET /triggers lists them.")
    return await get_version(session, code, version)


async def get_version(session: AsyncSession, code: str, version: int) -> TriggerOut:
    """One version; raises NotFound."""
    definition = await repository.find_definition(session, code, version)
    if definition is None:
        raise NotFound(
            f"Trigger '{code}' has no version {version}. "
            "GET /triggers/{code}/versions lists them."
        )
    return _out(definition)


async def list_page(session: AsyncSession, page: Page) -> PageOf[TriggerOut]:
    """A page of the triggers' versions in force, by code."""
    (after,) = decode_cursor(page.cursor, str) if page.cursor else (None,)
    rows = await repository.list_latest(session, after=after, limit=page.limit + 1)
    return page_of(
        [_out(row) for row in rows], page=page, key=lambda definition: (definition.code,)
    )


async def list_versions(session: AsyncSession, code: str, page: Page) -> PageOf[TriggerOut]:
    """A page of a trigger's versions, newest first; raises NotFound."""
    await get(session, code)
    (below,) = decode_cursor(page.cursor, int) if page.cursor else (None,)
    rows = await repository.list_versions(session, code, below=below, limit=page.limit + 1)
    return page_of(
        [_out(row) for row in rows], page=page, key=lambda definition: (definition.version,)
    )


async def enabled_for(session: AsyncSession, indicator: str) -> list[TriggerOut]:
    """The triggers to evaluate when the indicator has new values, by code."""
    rows = await repository.list_latest(session, indicator=indicator)
    return [trigger for trigger in map(_out, rows) if trigger.document.enabled]


async def _require_fitting_indicator(session: AsyncSession, document: TriggerDocument) -> None:
    try:
        indicator = await indicators.get(session, document.indicator)
    except NotFound:
        raise Conflict(
            f"There is no indicator '{document.indicator}' yet. Register it with POST /indicators."
        ) from None
    needed = _KIND_FOR[type(document.method)]
    if indicator.kind != needed:
        raise Conflict(
            f"Method {document.method.kind} judges indicators of kind {needed}, and "
            f"'{indicator.code}' is of kind {indicator.kind}. Choose another indicator or method."
        )


async def _add(
    session: AsyncSession,
    document: TriggerDocument,
    *,
    version: int,
    caller: Caller,
    clock: Clock,
) -> TriggerOut:
    definition = await repository.add_definition(
        session,
        {
            "code": document.code,
            "version": version,
            "indicator_code": document.indicator,
            "document": document.model_dump(mode="json"),
            "created_at": clock.now(),
            "created_by": caller.subject,
        },
    )
    if definition is None:
        raise Conflict(
            f"Trigger '{document.code}' already has version {version}. Read it with "
            "GET /triggers/{code}; post a change to POST /triggers/{code}/versions."
        )
    return _out(definition)


def _out(definition: TriggerDefinition) -> TriggerOut:
    return TriggerOut(
        code=definition.code,
        version=definition.version,
        created_at=definition.created_at,
        document=TriggerDocument.model_validate(definition.document),
    )
