"""A service's HTTP application: what all of them have in common."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import State
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.admission import Admission
from shared.audit import recorded
from shared.audit.routes import router as audit
from shared.auth import TokenVerifier
from shared.bodies import Body, RefusedBody, announced_bytes, on_refused_body, too_large
from shared.clock import clock_from
from shared.database import Database, may_pass
from shared.documentation import ASSETS_PATH, install_documentation
from shared.errors import (
    Busy,
    Problem,
    ProblemDocument,
    Unavailable,
    answer_to,
    install_problem_handlers,
    problem_responses,
    query_problem,
    unexpected_problem,
    unwell_problem,
)
from shared.events.metrics import events_measuring
from shared.events.progress import WaitsBesides, nothing_besides
from shared.ids import new_id
from shared.json_bodies import unambiguous_json
from shared.metrics import Measuring, Monitoring
from shared.metrics.routes import router as metrics
from shared.operations import Operation, Operations, Reach
from shared.rates import ORDINARY, REFUSED, SEARCH, SERVICE, Rates
from shared.settings import ServiceSettings
from shared.version import API_PREFIX, VERSION

log = structlog.get_logger()

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_REQUEST_ID_HEADER = b"x-request-id"
# That TLS is used everywhere (HSTS) is for whatever terminates it to say.
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_PRIVATE_HEADERS = (*_SECURITY_HEADERS, (b"cache-control", b"no-store"))

_TAGS = [
    {"name": "audit", "description": "Who did what, when, from where and why."},
    {"name": "metrics", "description": "What there is to watch, as numbers."},
    {"name": "probes", "description": "Is the process alive, and ready?"},
]


class RequestEdge:
    """The outermost layer: whom a request is from, whether it is taken, and what every answer has.

    Each request has an id: the caller's ``X-Request-ID`` where that is a UUID, else a new one. An
    unforeseen error ends here, because the server would log it with its text, and its text may be
    personal. A parameter that an operation does not take is refused here: a filter with a slip of
    the pen in its name would otherwise answer with everything. So is one that is given twice:
    which of the two counts is told by no standard. Every GET answers HEAD, and every path OPTIONS.

    The token, the caller's rate and the size of the body are looked at before the body is read:
    whoever may not call costs no memory. Plain ASGI: a middleware built on request objects costs
    as much as a small route.
    """

    def __init__(self, app: ASGIApp, *, state: State) -> None:
        self._app = app
        self._operations: Operations = state.operations
        self._admission: Admission = state.admission
        self._settings: ServiceSettings = state.settings
        self._answers = state.monitoring.answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = _given_id(headers) or str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        added = [(_REQUEST_ID_HEADER, request_id.encode()), *_headers_of_all(scope["path"])]
        begun = False
        operation: Operation | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                self._answers.began(scope["method"], operation, message["status"], came)
                own = message.get("headers", [])
                names = {name for name, _ in own}
                message["headers"] = [*own, *(each for each in added if each[0] not in names)]
            if without_body and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        without_body = scope["method"] == "HEAD"
        if without_body:
            scope["method"] = "GET"
        try:
            operation = self._operations.find(scope["method"], scope["path"])
            if operation and operation.scopes is not None:
                standing = await self._admission.admit(
                    scope,
                    headers,
                    scopes=operation.scopes,
                    rate=operation.rate,
                    bound=operation.reach is not Reach.COUNTRY,
                )
                added += standing.headers
            body = self._body(headers, receive, operation)
            answered = self._answer_here(scope, operation)
            await (answered or self._app)(scope, body, send_with_headers)
        except Exception as error:
            if begun:
                self._answers.broke_off(scope["method"], operation)
                # The caller sees the stream break off, which is the truth.
                raise ConnectionAbortedError("The answer broke off after it had begun.") from None
            await _answer_to_error(Request(scope), error)(scope, receive, send_with_headers)

    def _body(
        self, headers: Mapping[bytes, bytes], receive: Receive, operation: Operation | None
    ) -> Receive:
        """What the body is received through; raises TooLarge where it says to be that."""
        announced = announced_bytes(headers)
        if announced == 0:
            return receive
        settings = self._settings
        is_streamed = operation is not None and operation.is_streamed
        maximum = (operation and operation.maximum_bytes) or settings.body_maximum_bytes
        if not is_streamed and announced is not None and announced > maximum:
            raise too_large(maximum)
        return Body(
            receive,
            maximum_bytes=None if is_streamed else maximum,
            maximum_values=None if is_streamed else settings.body_maximum_values,
            seconds=settings.streamed_body_seconds if is_streamed else settings.body_seconds,
            grace_seconds=settings.grace_seconds,
            minimum_bytes_per_second=settings.minimum_bytes_per_second,
        ).receive

    def _answer_here(self, scope: Scope, operation: Operation | None) -> ASGIApp | None:
        """The answer to what no route is asked for."""
        if scope["method"] == "OPTIONS" and (allowed := self._operations.allowed(scope["path"])):
            return Response(status_code=204, headers={"Allow": ", ".join(allowed)})
        if operation and scope["query_string"]:
            faults = operation.query_faults(scope["query_string"].decode("latin-1"))
            if faults:
                return query_problem(Request(scope), faults)
        return None


def _answer_to_error(request: Request, error: Exception) -> ASGIApp:
    if isinstance(error, Problem):
        return answer_to(request, error)
    if isinstance(error, PoolTimeout):
        return answer_to(request, Busy("Every connection is in use. Send the request again."))
    return unwell_problem(request) if may_pass(error) else unexpected_problem(request, error)


def _headers_of_all(path: str) -> tuple[tuple[bytes, bytes], ...]:
    """An answer is for its caller alone, and no page: the pages of the documentation say what
    they may do, and their scripts and styles may be kept."""
    return _SECURITY_HEADERS if path.startswith(ASSETS_PATH) else _PRIVATE_HEADERS


def _given_id(headers: Mapping[bytes, bytes]) -> str | None:
    try:
        return str(UUID(headers[_REQUEST_ID_HEADER].decode("ascii")))
    except (KeyError, ValueError):
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
    measurings: Sequence[Measuring] = (),
    waits_besides: WaitsBesides = nothing_besides,
) -> FastAPI:
    """The service's app: database, clock, tokens, problem documents, audit, metrics, probes and its
    routers.

    ``lifespans`` are entered in order after the app's own state is there. ``measurings`` are what
    the service has to be watched for, beside its events; ``waits_besides`` is its work that no
    event tells of.
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
        openapi_tags=[*tags, *_TAGS],
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
        pool_wait_seconds=settings.database_pool_wait_seconds,
        tls=settings.tls,
    )
    app.state.recorded = recorded
    app.state.waits_besides = waits_besides
    app.state.monitoring = Monitoring(
        app.state.database,
        clock=app.state.clock,
        measurings=[
            events_measuring(settings.service, besides=waits_besides),
            *measurings,
        ],
        kept_seconds=settings.metrics_kept_seconds,
        longest_seconds=settings.metrics_longest_seconds,
    )
    # Set by the server once it takes no more requests: an answer without an end ends then.
    app.state.ending = asyncio.Event()
    app.state.token_verifier = TokenVerifier(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        jwks_url=settings.auth_jwks_url,
        maximum_seconds=settings.auth_token_maximum_seconds,
    )
    rates = Rates(
        {
            ORDINARY: settings.rate_ordinary_per_minute,
            SERVICE: settings.rate_service_per_minute,
            SEARCH: settings.rate_search_per_minute,
            REFUSED: settings.rate_refused_per_minute,
        }
    )
    app.state.admission = Admission(app.state.token_verifier, rates)
    install_problem_handlers(app)
    app.add_exception_handler(RefusedBody, on_refused_body)
    app.include_router(_probes)
    for router in (*routers, audit, metrics):
        app.include_router(router, prefix=API_PREFIX, dependencies=[Depends(unambiguous_json)])
    install_documentation(app, settings)
    _describe_problem_documents(app)
    app.state.operations = Operations(lambda: app.openapi())
    app.add_middleware(RequestEdge, state=app.state)
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
        except PoolTimeout:
            raise Busy("Every connection is in use. It is asked again at once.") from None
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
    """What any operation may answer: to a parameter too many, to a body that is no text, too
    large or too slow, to a call too many, when the database is away. And a POST that creates
    needs its key, which FastAPI cannot tell."""
    statuses = {422, 503} | ({400, 408, 413} if "requestBody" in operation else set())
    if operation.get("security"):
        statuses.add(429)
    for status, response in problem_responses(*sorted(statuses)).items():
        operation["responses"].setdefault(str(status), {"description": response["description"]})
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True
