"""Steps of this service that need two persons."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import SCHEMA, Base
from shared.approvals import tables
from shared.tables import enum_column


class ApprovalKind(StrEnum):
    SCHEME = "scheme"
    """A version of a scheme: who is eligible, and what they get."""
    OVER_CEILING = "over_ceiling"
    """A run that takes its activation above what it may pay by itself."""
    ROUND_RELEASE = "round_release"
    """The release of a later round."""
    REPAIR = "repair"
    """Entitlements that are announced again, to the accounts of now."""
    ACCOUNT_CHANGE = "account_change"
    """Where a household is paid."""
    IMPORTED_ACCOUNTS = "imported_accounts"
    """Where the known households of an import are paid."""
    MEMBER_CHANGE = "member_change"
    """A member of a household who is added or corrected."""
    GAZETTEER_EDITION = "gazetteer_edition"
    """An edition of the gazetteer that is put in force: codes change, and households follow."""
    PARTNER = "partner"
    """A system that speaks SPDCI with the registry, or what is to hold of one."""
    FURTHER_ENROLMENT = "further_enrolment"
    """Late registrants of an activation, or households by hand."""
    READMISSION = "readmission"
    """The end of a household's exclusion."""
    HOUSEHOLD_ACT = "household_act"
    """Something that is done with a household and moves who is paid, or cannot be undone."""
    DUPLICATES = "duplicates"
    """One decision about many households that may be registered twice."""
    ERASURES = "erasures"
    """The erasure of all households whose time is over."""


class Approval(tables.Approval, Base):
    """A proposal about households, rules or rounds, and what was decided."""

    __tablename__ = "approval"

    kind: Mapped[ApprovalKind] = mapped_column(enum_column(ApprovalKind, "approval_kind", SCHEMA))
