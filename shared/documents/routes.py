"""Versioned documents over HTTP: the same six routes for every kind."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from shared.approvals import ApprovalOut
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import service
from shared.documents.kind import DocumentKind, Foreseen, nothing_foreseen
from shared.documents.schemas import Code, Posted
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import public
from shared.pagination import PageOf, PageQuery
from shared.values import Whole

_TWO_PERSONS = (
    "It is in force once a second person approves the proposal that is answered: "
    "`POST /v1/approvals/{approval_id}/approval`."
)

Version = Annotated[int, Whole(least=1, most=1_000_000), Path(examples=[1])]


async def _nobody_is_asked(request: Request, document: Any) -> Any:
    """The service knows by itself what a document needs."""


def document_routes(
    kind: DocumentKind[Posted],
    step: StrEnum,
    *,
    prefix: str,
    tag: str,
    reader: Any,
    writer: Any,
    example_code: str,
    posted: str,
    versioned: str,
    before: Callable[[Request, Posted], Awaitable[Any]] = _nobody_is_asked,
    foresee: Callable[[AsyncSession, Posted, Any], Awaitable[Foreseen]] = nothing_foreseen,
) -> APIRouter:
    """The router of one kind, whose versions are proposed as ``step`` for another to approve.

    ``reader`` and ``writer`` are the callers' types (``SchemesRead``); ``posted`` and
    ``versioned`` say in a sentence what a first and a further version bring about.
    ``before`` asks others about a document that was posted, and raises a Problem: the session has
    no connection, and so no transaction, before its first statement. ``foresee`` is given what it
    was told, and says what the proposal would bring about.
    """
    router = APIRouter(prefix=prefix, tags=[tag])
    noun = kind.noun
    code_type = Annotated[Code, Path(examples=[example_code])]
    version_out: Any = kind.version_out

    def foreseeing(told: Any) -> service.Foresee[Posted]:
        async def foreseen(session: AsyncSession, document: Posted) -> Foreseen:
            return await foresee(session, document, told)

        return foreseen

    async def create(
        body: Any,
        caller: Any,
        request: Request,
        session: Session,
        clock: ClockDependency,
        once: Once,
        steps: TwoPersonSteps,
    ) -> Response:
        told = await before(request, body)
        return await once.reply(
            body,
            lambda: service.propose(
                session,
                steps,
                step,
                kind,
                body,
                foresee=foreseeing(told),
                caller=caller,
                clock=clock,
            ),
            status_code=202,
        )

    async def create_version(
        code: Any,
        body: Any,
        caller: Any,
        request: Request,
        session: Session,
        clock: ClockDependency,
        once: Once,
        steps: TwoPersonSteps,
    ) -> Response:
        told = await before(request, body)
        return await once.reply(
            body,
            lambda: service.propose_version(
                session,
                steps,
                step,
                kind,
                code,
                body,
                foresee=foreseeing(told),
                caller=caller,
                clock=clock,
            ),
            status_code=202,
        )

    async def list_documents(_: Any, session: Session, page: PageQuery) -> Any:
        return await service.list_page(session, kind, page)

    async def read_document(code: Any, _: Any, session: Session) -> Any:
        return await service.get(session, kind, code)

    async def list_versions(code: Any, _: Any, session: Session, page: PageQuery) -> Any:
        return await service.list_versions(session, kind, code, page)

    async def read_version(code: Any, version: Version, _: Any, session: Session) -> Any:
        return await service.get(session, kind, code, version)

    # The types of a kind are values here, which only the running program can annotate with.
    types = {"body": kind.document, "caller": writer, "_": reader, "code": code_type}
    for endpoint in (
        create,
        create_version,
        list_documents,
        read_document,
        list_versions,
        read_version,
    ):
        known = {name: types[name] for name in endpoint.__annotations__.keys() & types.keys()}
        endpoint.__annotations__.update(known)

    router.post(
        "",
        status_code=202,
        response_model=ApprovalOut,
        summary=f"Propose a {noun}",
        description=f"{posted}\n\n{_TWO_PERSONS}",
        responses=problem_responses(400, 401, 403, 409, 422),
    )(create)
    router.get(
        "",
        response_model=PageOf[version_out],
        summary=f"List {tag}",
        description=f"Lists every {noun} in the version in force, by code.",
        responses=problem_responses(400, 401, 403, 422),
        openapi_extra=public(),
    )(list_documents)
    router.get(
        "/{code}",
        response_model=version_out,
        summary=f"Read a {noun}",
        description=f"Reads the version in force of one {noun}.",
        responses=problem_responses(401, 403, 404, 422),
        openapi_extra=public(),
    )(read_document)
    router.post(
        "/{code}/versions",
        status_code=202,
        response_model=ApprovalOut,
        summary=f"Propose a further version of a {noun}",
        description=f"{versioned}\n\n{_TWO_PERSONS}",
        responses=problem_responses(400, 401, 403, 404, 409, 422),
    )(create_version)
    router.get(
        "/{code}/versions",
        response_model=PageOf[version_out],
        summary=f"List a {noun}'s versions",
        description=f"Lists all versions of one {noun}, newest first.",
        responses=problem_responses(400, 401, 403, 404, 422),
        openapi_extra=public(),
    )(list_versions)
    router.get(
        "/{code}/versions/{version}",
        response_model=version_out,
        summary=f"Read one version of a {noun}",
        description="Reads a version as it was posted, such as the one by which something was "
        "decided.",
        responses=problem_responses(401, 403, 404, 422),
        openapi_extra=public(),
    )(read_version)
    return router
