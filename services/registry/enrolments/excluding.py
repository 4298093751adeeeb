"""Whom others keep out of a round: other schemes, and other activations of the same one.

A household is not paid by two activations of one scheme in overlapping times, unless the scheme
says so. Whichever takes it first keeps it: a round passes by whom another activation has taken
whose time covers the round's day, unless an earlier round of its own took it before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments import repository
from services.registry.enrolments.statements import PAID_BY_ANOTHER_SCHEME, TAKEN_BY_AN_ACTIVATION
from services.registry.schemes.document import Overlapping, SchemeDocument
from shared.clock import Clock

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Excluding:
    """Activations that keep households out of a round; empty: none does."""

    activations: Sequence[UUID] = ()
    sinces: Sequence[datetime] = ()
    reasons: Sequence[str] = ()
    owed: Sequence[bool] = field(default=())
    """Whether it is enough that an activation owes a household something, paid or not."""

    def __bool__(self) -> bool:
        return bool(self.activations)

    @property
    def values(self) -> dict[str, Any]:
        """What the statements take."""
        return {
            "excluding_activations": list(self.activations),
            "excluding_since": list(self.sinces),
            "excluding_reasons": list(self.reasons),
            "excluding_owed": list(self.owed),
        }


async def excluding(
    session: AsyncSession,
    document: SchemeDocument,
    *,
    number: int,
    due_on: date,
    activation_id: UUID | None,
    clock: Clock,
) -> Excluding:
    """Who keeps households out of a round, were it worked out now.

    ``activation_id`` is that of the round; None: there is none yet.
    """
    found: list[tuple[UUID, datetime, str, bool]] = []
    for exclusion in document.exclusions:
        if number in exclusion.rounds:
            since = clock.now() - timedelta(days=exclusion.within_days)
            found += [
                (activation, since, PAID_BY_ANOTHER_SCHEME, False)
                for activation in await repository.excluding_activations(
                    session, exclusion, since=since
                )
            ]
    if document.overlapping is Overlapping.EXCLUDED:
        found += [
            (activation, _EVER, TAKEN_BY_AN_ACTIVATION, not is_cancelled)
            for activation, is_cancelled in await repository.overlapping_activations(
                session,
                document.code,
                on=max(due_on, clock.today()),
                but=activation_id,
            )
        ]
    if not found:
        return Excluding()
    activations, sinces, reasons, owed = zip(*found, strict=True)
    return Excluding(activations, sinces, reasons, owed)
