"""Schemes and their versions. A version is a document, posted once and never altered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.database import Base


class Scheme(Base):
    """A programme, by its code."""

    __tablename__ = "scheme"

    code: Mapped[str] = mapped_column(Text, primary_key=True)

    __table_args__ = ({"comment": "Programmes; what they pay is in their versions."},)


class SchemeVersion(Base):
    """What a scheme pays to whom, from one posting on."""

    __tablename__ = "scheme_version"

    scheme_code: Mapped[str] = mapped_column(
        Text, ForeignKey("registry.scheme.code"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    posted_by: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("version >= 1", name="version_counts_from_one"),
        {"comment": "Versioned scheme documents; never updated."},
    )
