"""What a resolution means for a payment as it is now. Pure."""

from dataclasses import dataclass
from uuid import UUID

from services.payments.instructions.moves import Move
from services.payments.instructions.repository import Known
from services.payments.instructions.states import Status
from services.payments.resolutions.states import TARGETS, Outcome

REASONS: dict[Outcome, str] = {
    Outcome.REJECTED: "rejected_by_officer",
    Outcome.RETURNED: "returned_by_officer",
    Outcome.CANCELLED: "cancelled_by_officer",
}
"""By what such payments are counted. The officers' own words stand in the history."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A decision that is being carried out."""

    resolution_id: UUID
    outcome: Outcome
    paid_minor: int | None
    note: str
    actor: str
    """Both persons."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The payment has moved on: what the provider said meanwhile stands."""

    detail: str


def move_of(resolved: Resolved, *, proposed_in: Status, known: Known) -> Move | Overtaken:
    """The move of a payment that is still as it was when the decision was proposed.

    Not for a resend or a release, which move nothing by themselves.
    """
    if known.status is not proposed_in:
        return Overtaken(
            f"It is {known.status} now; it was {proposed_in} when this was proposed. "
            "Nothing was changed."
        )
    return Move(
        known.instruction_id,
        TARGETS[resolved.outcome],
        reason=REASONS.get(resolved.outcome),
        note=resolved.note,
        paid_minor=resolved.paid_minor,
    )
