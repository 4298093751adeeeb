"""Problem details for HTTP APIs (RFC 9457): one shape for everything that goes wrong."""

import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from shared.patterns import IN_WORDS
from shared.values import UNFIT_FOR_A_LINE

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_FAULTS_TOLD = 100
_POINTER_PARTS = 20
_PART_CHARACTERS = 64
_CAUSES_TOLD = 3
_RETRY_AFTER_SECONDS = "2"
_OUR_CODE = str(Path(__file__).parent.parent) + os.sep


class Explained(Exception):
    """An error whose text is written for people: what happened and what to do, nothing personal."""


class Problem(Explained):
    """Something that the caller is told about. ``detail`` says what happened and what to do."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something broke on our side"

    def __init__(
        self, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers
        self.extensions = extensions


class BadRequest(Problem):
    status, slug, title = 400, "bad-request", "The request cannot be understood"


class Unauthenticated(Problem):
    status, slug, title = 401, "unauthenticated", "A valid bearer token is needed"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "This token does not allow that"


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is no such thing here"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "The present state does not allow that"


class PreconditionFailed(Problem):
    status, slug, title = 412, "changed-meanwhile", "It is not as you read it"


class SignatureRefused(Problem):
    status, slug, title = 401, "signature-refused", "The message's signature does not hold"


class TooSlow(Problem):
    status, slug, title = 408, "too-slow", "The request came too slowly"


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The body is larger than is taken here"


class Unprocessable(Problem):
    status, slug, title = 422, "unprocessable", "The request is malformed"


class TooMany(Problem):
    status, slug, title = 429, "too-many", "Too many requests"


class HeadersTooLarge(Problem):
    status, slug, title = 431, "headers-too-large", "The headers are larger than is taken here"


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "Not available just now"


class Busy(Unavailable):
    """Everything that could do it is in use. Raised at once or after a short wait."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": _RETRY_AFTER_SECONDS})


class FieldProblem(BaseModel):
    """One field that is wrong. The value is never repeated: it may be personal."""

    pointer: str = Field(description="Where, as a JSON pointer.", examples=["/body/currency"])
    detail: str = Field(description="What is wrong.", examples=["Field required"])


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:sangkroh:problem:not-found"])
    title: str = Field(examples=["There is no such thing here"])
    status: int = Field(examples=[404])
    detail: str = Field(
        description="What happened and what to do next.",
        examples=["No trigger has the code 'rice'. GET /v1/triggers lists them."],
    )
    instance: str = Field(
        description="The request id, to be quoted to the operators.",
        examples=["urn:uuid:0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"],
    )
    errors: list[FieldProblem] | None = Field(default=None, description="The fields at fault.")


_ADVICE = {
    400: "The body cannot be read. Send JSON in UTF-8 that nests no deeper than its schema.",
    404: "No route has this path; the OpenAPI document at /openapi.json lists them all.",
    405: "This path takes other methods; the OpenAPI document at /openapi.json lists them.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route puts in ``responses=``: the problem documents that it may answer with."""
    return {
        status: {
            "model": ProblemDocument,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in statuses
    }


def document_of(problem: Problem, *, instance: str) -> dict[str, Any]:
    """A problem as a document."""
    return {
        "type": f"urn:sangkroh:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        **problem.extensions,
    }


def problem_response(
    request: Request,
    *,
    status: int,
    slug: str,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """A problem document as a response."""
    document = {
        "type": f"urn:sangkroh:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{getattr(request.state, 'request_id', '')}",
        **(extensions or {}),
    }
    return JSONResponse(document, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def answer_to(request: Request, problem: Problem) -> JSONResponse:
    """What the caller is told of a problem."""
    instance = f"urn:uuid:{getattr(request.state, 'request_id', '')}"
    return JSONResponse(
        document_of(problem, instance=instance),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return answer_to(request, error)


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    errors = [
        {"pointer": _pointer(*fault["loc"]), "detail": detail_of(fault)}
        for fault in faults[:_FAULTS_TOLD]
    ]
    untold = len(faults) - len(errors)
    return problem_response(
        request,
        status=422,
        slug=Unprocessable.slug,
        title=Unprocessable.title,
        detail="Correct the fields listed under errors and send the request again."
        + (f" Another {untold} are not listed." if untold else ""),
        extensions={"errors": errors},
    )


def detail_of(fault: Mapping[str, Any]) -> str:
    """What is wrong with a value, by pydantic's account of it and without the value."""
    match fault["type"]:
        case "json_invalid":
            # The parser's own words quote the input.
            return "Not valid JSON"
        case "value_error":
            # Our validators' words, without those that pydantic puts before them.
            return str(fault["ctx"]["error"])
        case "string_pattern_mismatch" if words := IN_WORDS.get(fault["ctx"]["pattern"]):
            return f"Write {words}."
        case "extra_forbidden":
            return "There is no such field. Leave it out, or correct its name."
        case _:
            return str(fault["msg"])


def query_problem(request: Request, faults: Mapping[str, str]) -> JSONResponse:
    """The answer to query parameters that the operation does not take so; ``faults`` by name."""
    return problem_response(
        request,
        status=Unprocessable.status,
        slug=Unprocessable.slug,
        title=Unprocessable.title,
        detail="The operation does not take the query parameters listed under errors. "
        "Correct or leave them out, and send the request again.",
        extensions={
            "errors": [
                {"pointer": _pointer("query", name), "detail": detail}
                for name, detail in islice(faults.items(), _FAULTS_TOLD)
            ]
        },
    )


def _pointer(*parts: object) -> str:
    """A JSON pointer (RFC 6901) that can be told: a name of the caller's may be anything."""
    return "".join(f"/{_told_part(str(part))}" for part in parts[:_POINTER_PARTS])


def _told_part(part: str) -> str:
    shown = part[:_PART_CHARACTERS]
    shown = UNFIT_FOR_A_LINE.sub("\N{REPLACEMENT CHARACTER}", shown)
    return shown.replace("~", "~0").replace("/", "~1")


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        # The router names the methods of the first route of the path only.
        headers["Allow"] = ", ".join(request.app.state.operations.allowed(request.url.path))
    return problem_response(
        request,
        status=status,
        slug=status.phrase.lower().replace(" ", "-"),
        title=status.phrase,
        detail=_ADVICE.get(status, str(error.detail)),
        headers=headers,
    )


def unwell_problem(request: Request) -> JSONResponse:
    """The answer while the database is away, or too busy: nothing is wrong with the request."""
    log.warning("database_unwell", request_id=str(getattr(request.state, "request_id", "")))
    return problem_response(
        request,
        status=Unavailable.status,
        slug=Unavailable.slug,
        title=Unavailable.title,
        detail="The database does not answer, and nothing was saved. Send the same request again "
        "in a few seconds, with the same Idempotency-Key.",
        headers={"Retry-After": _RETRY_AFTER_SECONDS},
    )


def unexpected_problem(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error that nobody foresaw; logs its kind and place."""
    # The message and the traceback's values may hold personal data: the log gets the place only.
    log.error(
        "request_failed",
        path=request.scope["route"].path if "route" in request.scope else None,
        request_id=str(getattr(request.state, "request_id", "")),
        **account_of(error),
    )
    return problem_response(
        request,
        status=500,
        slug=Problem.slug,
        title=Problem.title,
        detail="Nothing was saved. Try again; if it stays, quote the instance to the operators.",
    )


def place_in_code(error: BaseException) -> str:
    """``file:line function`` of our own code where the error came up, and its SQLSTATE if any.

    Without any value: the text of a database's error quotes the row.
    """
    place = "unknown"
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        ours = code.co_filename.startswith(_OUR_CODE)
        if ours and "site-packages" not in code.co_filename:
            file = code.co_filename.removeprefix(_OUR_CODE)
            place = f"{file}:{step.tb_lineno} {code.co_name}"
        step = step.tb_next
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{place} (SQLSTATE {state})" if state else place


def account_of(error: BaseException) -> dict[str, str | int]:
    """What a log says of an error, as fields: its kind and place, what caused it, and how many
    ``others`` came up with it where several did at once. Nothing personal: no error's own words.
    """
    first, *others = _leaves(error)
    account: dict[str, str | int] = {"error": type(first).__name__, "at": place_in_code(first)}
    if causes := _causes(first):
        account["cause"] = ", caused by ".join(_kind_and_place(cause) for cause in causes)
    if others:
        account["others"] = len(others)
    return account


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The error itself, or what a group of errors, which says nothing, is made of."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause = error.__cause__
    while cause is not None and len(causes) < _CAUSES_TOLD:
        causes.append(next(_leaves(cause)))
        cause = causes[-1].__cause__
    return causes


def _kind_and_place(error: BaseException) -> str:
    return f"{type(error).__name__} at {place_in_code(error)}"


def told(error: BaseException) -> str:
    """What people are told of an error: its own words where those are meant for them.

    Of any other its kind and place only, since its text may quote what is personal; of several at
    once the first.
    """
    first, *others = _leaves(error)
    if isinstance(first, Explained):
        return str(first)
    return _kind_and_place(first) + (f", and {len(others)} others" if others else "")


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the app a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
