"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    TRIGGER = "trigger"
    """A version of a trigger: when a shock is one."""
    OBSERVATIONS = "observations"
    """Figures that a person posted by hand, and that a trigger in force reads."""
    ACTIVATION = "activation"
    """An activation that evidence proposes, and that may not open by itself."""
    DECLARATION = "declaration"
    """An activation that an official declares."""
    WIDENING = "widening"
    """Further areas of an open activation that may not be added by themselves."""
    CORRECTION = "correction"
    """The right areas of an open activation, in place of wrong ones."""
    CANCELLATION = "cancellation"
    """The end of an activation: whatever of it has not been sent never is."""
    FEED = "feed"
    """A version of a feed: what it brings counts with nobody asked again."""
    OBSERVATION_IMPORT = "observation_import"
    """Figures of a file that a person sent by hand, and that a trigger in force reads."""


class Approval(tables.Approval, Base):
    """A proposal about rules, figures or activations, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
