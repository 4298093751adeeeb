"""A service's HTTP application: what all of them have in common."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import text
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth import TokenVerifier
from shared.clock import clock_from
from shared.database import Database, may_pass
from shared.documentation import install_documentation
from shared.errors import (
    ProblemDocument,
    Unavailable,
    install_problem_handlers,
    problem_responses,
    query_problem,
    unexpected_problem,
    unwell_problem,
)
from shared.ids import new_id
from shared.json_bodies import unambiguous_json
from shared.operations import Operations
from shared.settings import ServiceSettings
from shared.version import API_PREFIX, VERSION

log = structlog.get_logger()

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_REQUEST_ID_HEADER = b"x-request-id"


class RequestEdge:
    """The outermost layer: gives each request an id, and answers for whatever was not foreseen.

    The id is the caller's ``X-Request-ID`` where that is a UUID, else a new one. An unforeseen
    error ends here, because the server would log it with its text, and its text may be personal.
    A parameter that an operation does not take is refused here: a filter with a slip of the pen
    in its name would otherwise answer with everything. So is one that is given twice: which of
    the two counts is told by no standard. Every GET answers HEAD, and every path
    OPTIONS. Plain ASGI: a middleware built on request objects costs as much as a small route.
    """

    def __init__(self, app: ASGIApp, *, operations: Operations) -> None:
        self._app = app
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given_id(scope) or str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (_REQUEST_ID_HEADER, request_id.encode()),
                ]
            if without_body and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        without_body = scope["method"] == "HEAD"
        if without_body:
            scope["method"] = "GET"
        try:
            answered = self._answer_here(scope)
            await (answered or self._app)(scope, receive, send_with_id)
        except Exception as error:
            request = Request(scope)
            answer = (
                unwell_problem(request) if may_pass(error) else unexpected_problem(request, error)
            )
            if begun:
                # The caller sees the stream break off, which is the truth.
                raise ConnectionAbortedError("The answer broke off after it had begun.") from None
            await answer(scope, receive, send_with_id)

    def _answer_here(self, scope: Scope) -> ASGIApp | None:
        """The answer to what no route is asked for."""
        if scope["method"] == "OPTIONS" and (allowed := self._operations.allowed(scope["path"])):
            return Response(status_code=204, headers={"Allow": ", ".join(allowed)})
        if scope["query_string"]:
            faults = self._operations.query_faults(
                scope["method"], scope["path"], scope["query_string"].decode("latin-1")
            )
            if faults:
                return query_problem(Request(scope), faults)
        return None


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _REQUEST_ID_HEADER:
            try:
                return str(UUID(value.decode("ascii")))
            except (ValueError, UnicodeDecodeError):
                return None
    return None


def create_application(
    *,
    title: str,
    summary: str,
    description: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    tags: Sequence[dict[str, Any]] = (),
    lifespans: Sequence[Lifespan] = (),
) -> FastAPI:
    """The service's app: database, clock, tokens, problem documents, probes and its routers.

    ``lifespans`` are entered in order after the app's own state is there.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database: Database = app.state.database
        await database.check()
        async with AsyncExitStack() as stack:
            for entered in lifespans:
                await stack.enter_async_context(entered(app))
            log.info("api_started", service=settings.service)
            yield
        await database.dispose()

    app = FastAPI(
        title=title,
        summary=summary,
        description=description,
        version=VERSION,
        lifespan=lifespan,
        openapi_tags=[*tags, {"name": "probes", "description": "Is the process alive, and ready?"}],
        separate_input_output_schemas=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.clock = clock_from(settings.clock_file)
    app.state.database = Database(
        settings.database_url,
        application_name=f"{settings.service}-api",
        pool_size=settings.database_pool_size,
    )
    app.state.token_verifier = TokenVerifier(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        jwks_url=settings.auth_jwks_url,
    )
    install_problem_handlers(app)
    app.include_router(_probes)
    for router in routers:
        app.include_router(router, prefix=API_PREFIX, dependencies=[Depends(unambiguous_json)])
    install_documentation(app, settings)
    _describe_problem_documents(app)
    app.state.operations = Operations(lambda: app.openapi())
    app.add_middleware(RequestEdge, operations=app.state.operations)
    return app


_probes = APIRouter(tags=["probes"])


@_probes.get("/live", summary="Whether the process runs")
async def live() -> dict[str, str]:
    """Answers as long as the process does; asks nobody else."""
    return {"status": "alive"}


def _ready_route(app: FastAPI) -> None:
    @app.get(
        "/ready",
        tags=["probes"],
        summary="Whether the service can work",
        responses={503: {"model": ProblemDocument}},
    )
    async def ready() -> dict[str, str]:
        """Asks the database; answers 503 while it does not answer."""
        database: Database = app.state.database
        try:
            async with database.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:
            raise Unavailable("The database does not answer. It is asked again at once.") from None
        return {"status": "ready"}


def _describe_problem_documents(app: FastAPI) -> None:
    """The OpenAPI document tells of problem documents where FastAPI would tell of its own."""
    _ready_route(app)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault(
            "ProblemDocument",
            ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}"),
        )
        definitions = schemas["ProblemDocument"].pop("$defs", {})
        schemas.update(definitions)
        problem = {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
        }
        for path, methods in document["paths"].items():
            for operation in methods.values():
                if path.startswith(API_PREFIX):
                    _add_answers_of_all(operation)
                for status, response in operation.get("responses", {}).items():
                    if status[0] in "45":
                        response["content"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_answers_of_all(operation: dict[str, Any]) -> None:
    """What any operation may answer: to a parameter too many, to a body that is no text, when
    the database is away. And a POST that creates needs its key, which FastAPI cannot tell."""
    statuses = {422, 503} | ({400} if "requestBody" in operation else set())
    for status, response in problem_responses(*sorted(statuses)).items():
        operation["responses"].setdefault(str(status), {"description": response["description"]})
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
