"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    TRIGGER = "trigger"
    """A version of a trigger: when a shock is one."""


class Approval(tables.Approval, Base):
    """A proposal about rules, figures or activations, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
