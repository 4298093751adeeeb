"""Schemes as the registry works by them: what kind of document they are, and their versions."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.schemas import SchemeVersionOut
from services.registry.schemes.tables import SchemeVersion
from shared.documents import DocumentKind
from shared.documents import repository as documents

SCHEMES: Final = DocumentKind(
    noun="scheme",
    path="/v1/schemes",
    table=SchemeVersion,
    document=SchemeDocument,
    version_out=SchemeVersionOut,
    # What is owed and what the fund holds stay comparable from version to version.
    unchanging=("currency",),
)


async def find_in_force(session: AsyncSession, code: str) -> tuple[int, SchemeDocument] | None:
    """The number and the document of the version in force; None where there is no such scheme."""
    stored = await documents.find_version(session, SCHEMES, code)
    if stored is None:
        return None
    return stored.version, SchemeDocument.model_validate(stored.document)


async def get_document(session: AsyncSession, code: str, version: int) -> SchemeDocument:
    """The document of a version that is known to be there."""
    stored = await documents.find_version(session, SCHEMES, code, version)
    assert stored is not None, f"scheme {code} has lost version {version}"
    return SchemeDocument.model_validate(stored.document)
