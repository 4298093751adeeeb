"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    RESOLUTION = "resolution"
    """How payments ended that the system cannot decide on, or that they are not to be sent."""
    FUND = "fund"
    """A fund is opened, with its bounds."""
    FUND_BOUNDS = "fund_bounds"
    """A fund's bounds are changed."""
    DEPOSIT = "deposit"
    """Money arrived for a fund."""
    PREFUNDING = "prefunding"
    """Treasury money was paid to a provider."""
    ROUND_RELEASE = "round_release"
    """A round is sent that is above what its fund lets go by itself."""
    ATTEMPT = "attempt"
    """A rejected payment is tried again."""
    SUBSCRIPTION = "subscription"
    """Events are sent to an address outside."""
    REVERSAL = "reversal"
    """A deposit or a prefunding that was recorded wrongly is taken back."""
    BUDGET_LINE = "budget_line"
    """A line of a fund is opened, or gets another ceiling."""
    RESUMPTION = "resumption"
    """What one person paused is sent again."""
    STATEMENT_MAPPING = "statement_mapping"
    """How a provider's statements are read."""
    DIFFERENCE = "difference"
    """What a difference between a statement and our books was, and what is booked for it."""
    CHARGES = "charges"
    """A provider took, or was paid, what it charges."""
    HOLD_RULES = "hold_rules"
    """Which payments of a scheme are looked at before they are sent."""
    RECLAIM = "reclaim"
    """Money that came back, and that nobody claimed, goes back to its fund."""
    ROUTE = "route"
    """Another provider pays in a provider's place."""
    CASH_RESULTS = "cash_results"
    """What became of lines of a list from which cash was paid out by hand."""


class Approval(tables.Approval, Base):
    """A proposal about payments or money, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
