"""Where trigger definitions are stored: a version is added, never edited."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.triggers.database import Base
from services.triggers.indicators.tables import Indicator
from shared.documents import DocumentVersion


class TriggerDefinition(DocumentVersion, Base):
    """One version of one trigger; the highest version is the one in force."""

    __tablename__ = "trigger_definition"


class TriggerLeg(Base):
    """An indicator that a version judges: by it the triggers of new observations are found."""

    __tablename__ = "trigger_leg"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trigger_code", "trigger_version"],
            [TriggerDefinition.code, TriggerDefinition.version],
            name="trigger_leg_trigger_foreign_key",
        ),
        Index("trigger_leg_indicator_code_index", "indicator_code"),
    )

    trigger_code: Mapped[str] = mapped_column(Text, primary_key=True)
    trigger_version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, comment="From 0, as in the document."
    )
    indicator_code: Mapped[str] = mapped_column(Text, ForeignKey(Indicator.code))
