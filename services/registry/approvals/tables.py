"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    SCHEME = "scheme"
    """A version of a scheme: who is eligible, and what they get."""


class Approval(tables.Approval, Base):
    """A proposal about households, rules or rounds, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
