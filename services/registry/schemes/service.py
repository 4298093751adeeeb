"""Schemes as the registry works by them: what kind of document they are, and their versions."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.funds.repository import find_fund, fund_codes
from services.registry.members.repository import unknown_programmes
from services.registry.rules.attributes import HOUSEHOLD_ATTRIBUTES
from services.registry.rules.compiler import programmes_asked
from services.registry.schemes import repository
from services.registry.schemes.bounds import above_bound
from services.registry.schemes.document import SchemeDocument, of_its_time
from services.registry.schemes.schemas import SchemeVersionOut
from services.registry.schemes.tables import SchemeVersion
from shared.documents import DocumentKind
from shared.documents import repository as documents
from shared.errors import Unprocessable
from shared.values import STORED

_NAMED = 20
"""How many of what exists are named to whoever wrote something else."""


async def _refers_to_what_is_there(session: AsyncSession, document: SchemeDocument) -> None:
    """Raises Unprocessable with everything in the document that is not there, or does not go with
    its fund.

    As long as payments told of no fund, nobody can say which there are: a fund may be set up after
    its schemes, and payments holds every round against it.
    """
    faults = [
        *await _unknown_schemes(session, document),
        *await _unfit_fund(session, document),
    ]
    if faults:
        raise Unprocessable(
            f"The scheme cannot be taken as it is. {faults[0][1]}",
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
    await _refers_to_what_is_there(session, document)


async def _unknown_schemes(
    session: AsyncSession, document: SchemeDocument
) -> list[tuple[str, str]]:
    named = {exclusion.scheme for exclusion in document.exclusions}
    posted = await repository.codes(session) if named else frozenset[str]()
    faults = []
    for position, exclusion in enumerate(document.exclusions):
        pointer = f"/exclusions/{position}/scheme"
        if exclusion.scheme == document.code:
            faults.append(
                (pointer, "It excludes households that it pays itself. Name another scheme.")
            )
        elif exclusion.scheme not in posted:
            detail = (
                f"No scheme '{exclusion.scheme}' is posted. {told_of('Posted are', posted)} "
                "Post the other one first, or leave it out."
            )
            faults.append((pointer, detail))
    return faults


async def _unfit_fund(session: AsyncSession, document: SchemeDocument) -> list[tuple[str, str]]:
    fund = await find_fund(session, document.fund)
    if fund is not None:
        return [
            (pointer, f"{detail} Post smaller amounts, or have the owner of the fund raise it.")
            if pointer != "/currency"
            else (pointer, detail)
            for pointer, detail in above_bound(document, fund)
        ]
    known = await fund_codes(session)
    if not known:
        return []
    detail = (
        f"Payments has told of no fund '{document.fund}'. {told_of('It has', known)} Open it "
        "there with POST /v1/funds, or name another; one that has just been opened is known here "
        "after some seconds."
    )
    return [("/fund", detail)]


def told_of(beginning: str, codes: Collection[str]) -> str:
    """What there is, for whoever named something else."""
    if not codes:
        return f"{beginning} none."
    more = len(codes) - _NAMED
    ending = f" and {more} more" if more > 0 else ""
    return f"{beginning}: {', '.join(sorted(codes)[:_NAMED])}{ending}."


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
    return stored.version, _read(stored.document)


async def posted_by(session: AsyncSession, code: str, version: int) -> str:
    """Who proposed a version that is known to be there."""
    stored = await documents.find_version(session, SCHEMES, code, version)
    assert stored is not None, f"scheme {code} has lost version {version}"
    return stored.posted_by


async def get_document(session: AsyncSession, code: str, version: int) -> SchemeDocument:
    """The document of a version that is known to be there."""
    stored = await documents.find_version(session, SCHEMES, code, version)
    assert stored is not None, f"scheme {code} has lost version {version}"
    return _read(stored.document)


def _read(document: Mapping[str, Any]) -> SchemeDocument:
    return SchemeDocument.model_validate(of_its_time(document), context=STORED)
