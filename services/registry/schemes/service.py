"""Posting schemes and their versions."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.schemes import repository
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.schemas import SchemeOut, SchemeVersionOut
from services.registry.schemes.tables import SchemeVersion
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import Conflict, NotFound, Unprocessable


async def create_scheme(
    session: AsyncSession, document: SchemeDocument, *, caller: Caller, clock: Clock
) -> SchemeVersionOut:
    """Version 1 of a new scheme; raises Conflict where the code is taken."""
    if not await repository.add_scheme(session, document.code):
        raise Conflict(
            f"There is a scheme '{document.code}' already. "
            f"POST /schemes/{document.code}/versions adds a version to it."
        )
    return await _add_version(session, document, caller=caller, clock=clock)


async def create_version(
    session: AsyncSession, code: str, document: SchemeDocument, *, caller: Caller, clock: Clock
) -> SchemeVersionOut:
    """The next version of a scheme. Activations that are under way keep the version they have."""
    if document.code != code:
        raise Unprocessable(f"The document is of '{document.code}', the path says '{code}'.")
    latest = await get_version(session, code)
    if latest.document.currency != document.currency:
        raise Conflict(
            f"Scheme '{code}' pays in {latest.document.currency}. "
            "Another currency is another scheme: POST /schemes."
        )
    return await _add_version(session, document, caller=caller, clock=clock)


async def get_version(
    session: AsyncSession, code: str, version: int | None = None
) -> SchemeVersionOut:
    """A version, the newest without a number; raises NotFound."""
    stored = await repository.find_version(session, code, version)
    if stored is None:
        raise NotFound(
            f"There is no scheme '{code}', or no such version of it. GET /schemes lists them."
        )
    return version_out(stored)


async def _add_version(
    session: AsyncSession, document: SchemeDocument, *, caller: Caller, clock: Clock
) -> SchemeVersionOut:
    stored = await repository.add_version(
        session, document, posted_by=caller.subject, posted_at=clock.now()
    )
    if stored is None:
        raise Conflict(
            f"Somebody posted a version of '{document.code}' at the same moment. "
            "Read the newest version and post again if yours is still wanted."
        )
    return version_out(stored)


def version_out(stored: SchemeVersion) -> SchemeVersionOut:
    """A stored version as it is shown."""
    return SchemeVersionOut(
        scheme=stored.scheme_code,
        version=stored.version,
        posted_by=stored.posted_by,
        posted_at=stored.posted_at,
        document=SchemeDocument.model_validate(stored.document),
    )


def scheme_out(latest: SchemeVersion) -> SchemeOut:
    """A scheme as it is listed."""
    return SchemeOut(
        code=latest.scheme_code,
        name=latest.document["name"],
        shock=latest.document["shock"],
        latest_version=latest.version,
    )
