"""Schemes as the registry works by them: what kind of document they are, and their versions."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.funds.repository import find_fund
from services.registry.members.repository import unknown_programmes
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.compiler import programmes_asked
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


async def _asks_what_there_is(session: AsyncSession, document: SchemeDocument) -> None:
    """Raises Unprocessable where a rule asks about a routine programme that there is not."""
    rules = {"/eligibility": document.eligibility} | {
        f"/benefit/{position}/where": case.where
        for position, case in enumerate(document.benefit)
        if case.where is not None
    }
    for pointer, rule in rules.items():
        asked = programmes_asked(rule, attributes=HOUSEHOLD_ATTRIBUTES)
        unknown = await unknown_programmes(session, sorted(asked))
        if unknown:
            detail = (
                f"There is no programme '{unknown[0]}'. GET /v1/programmes lists those that there "
                "are; POST /v1/programmes adds one."
            )
            raise Unprocessable(detail, errors=[{"pointer": f"/body{pointer}", "detail": detail}])


async def _check(session: AsyncSession, document: SchemeDocument) -> None:
    await _asks_what_there_is(session, document)
    await _within_bounds(session, document)


SCHEMES: Final = DocumentKind(
    noun="scheme",
    path="/v1/schemes",
    table=SchemeVersion,
    document=SchemeDocument,
    version_out=SchemeVersionOut,
    # What is owed and what the fund holds stay comparable from version to version.
    unchanging=("currency",),
    check=_check,
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
