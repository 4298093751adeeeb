"""Who stands behind an activation: whoever posted its rule, its figures, or declared it."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.activations.states import Origin
from services.triggers.activations.tables import Activation
from services.triggers.definitions import service as definitions
from services.triggers.definitions.schemas import Trigger
from services.triggers.methods.judgement import Period
from services.triggers.methods.registry import method_of
from services.triggers.observations import repository as observations


async def persons_behind(
    session: AsyncSession, activation: Activation, trigger: Trigger
) -> list[str]:
    """Who had a hand in it, and so decides on nothing of it. ``trigger`` is the one in force.

    The rule: whoever posted the version that began it, or the one in force. The figures: whoever
    posted, or approved, one that judging it uses. And whoever declared it.
    """
    begun_by = await definitions.get_version(
        session, activation.trigger_code, activation.trigger_version
    )
    persons = {trigger.posted_by, begun_by.posted_by}
    for leg in trigger.document.legs:
        used = method_of(leg.method).used(evidence_of(activation))
        persons.update(await observations.persons_behind(session, leg.indicator, used))
    if activation.origin is Origin.DECLARED:
        persons.add(activation.proposed_by)
    return sorted(persons)


async def all_vouched_for(session: AsyncSession, activation: Activation, trigger: Trigger) -> bool:
    """Whether each figure of its days that counts is a publisher's, or two persons'."""
    for indicator in trigger.document.indicators:
        if not await observations.all_vouched_for(session, indicator, evidence_of(activation)):
            return False
    return True


def evidence_of(activation: Activation) -> Period:
    """The days of an activation's evidence."""
    return Period(first_on=activation.evidence_from, last_on=activation.evidence_to)
