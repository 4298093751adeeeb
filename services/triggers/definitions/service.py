"""What triggers ask of a posted document beyond its shape, and which triggers are in force."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions import repository
from services.triggers.definitions.document import Approval, Leg, TriggerDocument
from services.triggers.definitions.schemas import Trigger, TriggerOut
from services.triggers.definitions.tables import TriggerDefinition
from services.triggers.indicators import service as indicators
from services.triggers.methods.calendar import Calendar
from services.triggers.methods.registry import method_of
from shared.documents import DocumentKind
from shared.documents import service as documents
from shared.errors import Conflict, NotFound, Unprocessable


async def get(session: AsyncSession, code: str) -> Trigger:
    """The version in force; raises NotFound."""
    return await documents.get(session, TRIGGERS, code)


async def get_version(session: AsyncSession, code: str, version: int) -> Trigger:
    """One version; raises NotFound."""
    return await documents.get(session, TRIGGERS, code, version)


async def enabled_for(session: AsyncSession, codes: Collection[str]) -> list[Trigger]:
    """The triggers to evaluate when one of these indicators has new values, by code."""
    found = await documents.in_force(session, TRIGGERS, where=repository.has_judged(codes))
    return [
        trigger
        for trigger in found
        if trigger.document.enabled and not set(codes).isdisjoint(trigger.document.indicators)
    ]


async def is_read(session: AsyncSession, indicator: str) -> bool:
    """Whether a trigger in force judges the indicator."""
    return bool(await enabled_for(session, [indicator]))


def require_ceiling(document: TriggerDocument) -> None:
    """Raises Unprocessable where the trigger would pay by itself without an end."""
    stage = document.stages.activation
    if document.enabled and stage.approval is Approval.AUTOMATIC and stage.ceiling is None:
        raise Unprocessable(
            "What pays by itself needs a ceiling. State it, or let a second person approve.",
            errors=[
                {
                    "pointer": "/body/stages/activation/ceiling",
                    "detail": "Give the households and the money up to which it may pay without "
                    "asking a person.",
                }
            ],
        )


async def _check(session: AsyncSession, document: TriggerDocument) -> None:
    """Raises Conflict where a leg's indicator is unknown or none that its method judges.

    Unprocessable where it would pay by itself without an end. What was stored before triggers
    stated a ceiling is still read: its activations ask a person.
    """
    require_ceiling(document)
    for leg in document.legs:
        await require_fitting_indicator(session, leg)


async def require_fitting_indicator(session: AsyncSession, leg: Leg) -> None:
    """Raises Conflict where the leg's indicator is unknown or none that its method judges."""
    try:
        indicator = await indicators.get(session, leg.indicator)
    except NotFound:
        raise Conflict(
            f"There is no indicator '{leg.indicator}' yet. Register it with POST /v1/indicators."
        ) from None
    method = method_of(leg.method)
    judged = [kind.code for kind in method.indicator_kinds]
    if indicator.kind not in judged:
        raise Conflict(
            f"Method {leg.method.kind} judges indicators of kind {' or '.join(judged)}, and "
            f"'{indicator.code}' is of kind {indicator.kind}. Choose another indicator or method."
        )
    if indicator.forecast and not method.reads_forecasts:
        raise Conflict(
            f"Method {leg.method.kind} judges what was measured, and '{indicator.code}' is a "
            "forecast. Choose another indicator or method."
        )
    frequency = Calendar.model_validate(indicator.calendar).frequency
    if method.judges_by not in (None, frequency):
        raise Conflict(
            f"Method {leg.method.kind} judges {method.judges_by} by {method.judges_by}, and "
            f"'{indicator.code}' has the frequency {frequency}. Register its figures as an "
            f'indicator whose calendar says "frequency": "{method.judges_by}".'
        )


async def _add_legs(session: AsyncSession, posted: Trigger) -> None:
    await repository.add_legs(
        session,
        posted.code,
        posted.version,
        indicators=posted.document.indicators,
    )
    # It is judged by what is known already, as if it had been there before.
    await indicators.judge_by(session, posted.document.indicators, at=posted.posted_at)


TRIGGERS = DocumentKind(
    noun="trigger",
    path="/v1/triggers",
    table=TriggerDefinition,
    document=TriggerDocument,
    version_out=TriggerOut,
    unchanging=("scheme", "shock", "indicators", "method_kinds"),
    check=_check,
    after=_add_legs,
)
