"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    RESOLUTION = "resolution"
    """How payments ended that the system cannot decide on."""


class Approval(tables.Approval, Base):
    """A proposal about payments or money, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
