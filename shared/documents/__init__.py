"""Versioned documents posted through an API: schemes, triggers, and whatever else is a rule.

A document is posted whole under its code. A change is a further version, in force from its posting
on; the versions before it stay readable, because what was decided by them refers to them.
"""

from shared.documents.kind import DocumentKind, Foreseen
from shared.documents.schemas import Code, Document, VersionOut
from shared.documents.tables import DocumentVersion

__all__ = ["Code", "Document", "DocumentKind", "DocumentVersion", "Foreseen", "VersionOut"]
