"""What is asked to be done with households."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class HouseholdAct(Base):
    """What is personal of an act that waits for a second person, sealed; its id is the proposal's.

    All else of it stands in the proposal.
    """

    __tablename__ = "household_act"

    id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("registry.approval.id"), primary_key=True)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    given_sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index(None, "household_id"),
        {"comment": "What is personal of acts that wait, or waited, for a second person; sealed."},
    )
