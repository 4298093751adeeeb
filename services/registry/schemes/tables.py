"""Schemes: each version is a document, posted once and never altered."""

from services.registry.database import Base
from shared.documents import DocumentVersion


class SchemeVersion(DocumentVersion, Base):
    """What a scheme pays to whom, from one posting on."""

    __tablename__ = "scheme_version"
