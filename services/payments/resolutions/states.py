"""What two persons may decide about payments, and in which states."""

from enum import StrEnum

from services.payments.instructions.states import Status


class Outcome(StrEnum):
    SETTLED = "settled"
    """The household has the money."""
    REJECTED = "rejected"
    """The provider did not pay it and will not."""
    RETURNED = "returned"
    """It was paid, and we have it back."""
    RESEND = "resend"
    """The provider is asked once more, and sent the same order again if it does not know it."""
    CANCELLED = "cancelled"
    """It was not sent, and is not to be."""
    RELEASED = "released"
    """A rule held it before it was sent, and it may go."""


class Result(StrEnum):
    DONE = "done"
    OVERTAKEN = "overtaken"
    """It is not in the state any more that the proposal was about: nothing was moved."""
    REFUSED = "refused"
    """The ledger or another payment does not allow it: nothing was moved."""


FITS: dict[Outcome, tuple[Status, ...]] = {
    Outcome.SETTLED: (Status.PENDING, Status.UNKNOWN, Status.HELD),
    Outcome.REJECTED: (Status.PENDING, Status.UNKNOWN),
    Outcome.RETURNED: (Status.HELD, Status.SETTLED),
    Outcome.RESEND: (Status.UNKNOWN,),
    Outcome.CANCELLED: (Status.READY,),
    Outcome.RELEASED: (Status.READY, Status.UNKNOWN),
}
"""The states from which each outcome can be reached. ``sending`` is left within its lease."""

TARGETS: dict[Outcome, Status] = {
    Outcome.SETTLED: Status.SETTLED,
    Outcome.REJECTED: Status.REJECTED,
    Outcome.RETURNED: Status.RETURNED,
    Outcome.CANCELLED: Status.CANCELLED,
}
"""Where each outcome moves an instruction; what is resent or released moves once it is sent."""
