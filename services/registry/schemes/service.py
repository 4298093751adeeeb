"""Schemes as the registry works by them: what kind of document they are, and their versions."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.funds.repository import find_fund
from services.registry.schemes.bounds import above_bound
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.schemas import SchemeVersionOut
from services.registry.schemes.tables import SchemeVersion
from shared.documents import DocumentKind
from shared.documents import repository as documents
from shared.errors import Unprocessable


async def _within_bounds(session: AsyncSession, document: SchemeDocument) -> None:
    """Raises Unprocessable where the fund's owner lets no household be paid so much.

    A fund of which nothing was told yet bounds nothing: it may be set up after its schemes, and
    payments holds every round against it.
    """
    fund = await find_fund(session, document.fund)
    faults = [] if fund is None else above_bound(document, fund)
    if faults:
        raise Unprocessable(
            f"The scheme does not go with its fund '{document.fund}'. {faults[0][1]} Post smaller "
            "amounts, or have the owner of the fund raise the bound first.",
            errors=[{"pointer": f"/body{pointer}", "detail": detail} for pointer, detail in faults],
        )


SCHEMES: Final = DocumentKind(
    noun="scheme",
    path="/v1/schemes",
    table=SchemeVersion,
    document=SchemeDocument,
    version_out=SchemeVersionOut,
    # What is owed and what the fund holds stay comparable from version to version.
    unchanging=("currency",),
    check=_within_bounds,
)


async def find_in_force(session: AsyncSession, code: str) -> tuple[int, SchemeDocument] | None:
    """The number and the document of the version in force; None where there is no such scheme."""
    stored = await documents.find_version(session, SCHEMES, code)
    if stored is None:
        return None
    return stored.version, SchemeDocument.model_validate(stored.document)


async def posted_by(session: AsyncSession, code: str, version: int) -> str:
    """Who proposed a version that is known to be there."""
    stored = await documents.find_version(session, SCHEMES, code, version)
    assert stored is not None, f"scheme {code} has lost version {version}"
    return stored.posted_by


async def get_document(session: AsyncSession, code: str, version: int) -> SchemeDocument:
    """The document of a version that is known to be there."""
    stored = await documents.find_version(session, SCHEMES, code, version)
    assert stored is not None, f"scheme {code} has lost version {version}"
    return SchemeDocument.model_validate(stored.document)
