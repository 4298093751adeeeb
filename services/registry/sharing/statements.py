"""Whether the persons of a household may be shown, as a condition on whole sets of households."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, not_, select, true
from sqlalchemy.orm import aliased

from services.registry.consents.tables import Consent
from services.registry.households.tables import Household


@dataclass(frozen=True, slots=True)
class Sharing:
    """For what persons are shown to an organisation, and what holds of whom nobody asked."""

    purpose: str
    unasked: bool = False
    """Whether those are shown as well who were never asked: never those who withdrew."""

    @property
    def agreed(self) -> ColumnElement[bool]:
        """Whether a household's persons may be shown, in a query over ``household``."""
        standing, withdrawn = aliased(Consent), aliased(Consent)
        stands = select(standing.id).where(
            standing.household_id == Household.id,
            standing.purpose == self.purpose,
            standing.withdrawn_on.is_(None),
        )
        if not self.unasked:
            return stands.correlate(Household).exists()
        # Not "or nobody asked": PostgreSQL joins what is said with AND, and not with OR.
        refused = select(withdrawn.id).where(
            withdrawn.household_id == Household.id,
            withdrawn.purpose == self.purpose,
            withdrawn.withdrawn_on.is_not(None),
            not_(
                select(standing.id)
                .where(
                    standing.household_id == withdrawn.household_id,
                    standing.purpose == self.purpose,
                    standing.withdrawn_on.is_(None),
                )
                .correlate(withdrawn)
                .exists()
            ),
        )
        return not_(refused.correlate(Household).exists())


def agreed_to_all(sharings: Sequence[Sharing]) -> ColumnElement[bool]:
    """Whether a household's persons may be shown for all of several purposes."""
    return and_(true(), *(sharing.agreed for sharing in sharings))
