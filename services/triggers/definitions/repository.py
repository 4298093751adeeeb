"""What is asked of the database about the legs of triggers; versions are kept as documents are."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.definitions.tables import TriggerDefinition, TriggerLeg
from shared.choosing import one_of


async def add_legs(
    session: AsyncSession, trigger: str, version: int, *, indicators: Sequence[str]
) -> None:
    """Keep which indicators a version judges, in the order of its legs."""
    await session.execute(
        insert(TriggerLeg),
        [
            {
                "trigger_code": trigger,
                "trigger_version": version,
                "position": position,
                "indicator_code": indicator,
            }
            for position, indicator in enumerate(indicators)
        ],
    )


def has_judged(indicators: Collection[str]) -> ColumnElement[bool]:
    """Of trigger definitions: whether any version of the trigger judges one of the indicators."""
    judging = select(TriggerLeg.trigger_code).where(
        one_of(TriggerLeg.indicator_code, sorted(indicators))
    )
    has_leg: ColumnElement[bool] = TriggerDefinition.code.in_(judging)
    return has_leg
