"""What the standard's two applications have in common.

Envelope and errors are the standard's, so neither shares a handler with the rest of the API. Each
thing that is asked is declared once, as an ``Action``: at which addresses it may be asked, whether
it is answered at once or later, and what answers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.registry.spdci.applications import examples
from services.registry.spdci.later import status
from services.registry.spdci.later.actions import Action
from services.registry.spdci.later.taking import take
from services.registry.spdci.messages.codes import ErrorCode
from services.registry.spdci.messages.envelope import Json, Refused, require_total
from services.registry.spdci.messages.exchange import (
    Answered,
    Taken,
    acknowledge,
    exchange,
    http_error,
    public_keys,
)
from services.registry.spdci.searches import service as searches
from services.registry.spdci.searches.service import Searches


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One of the standard's registers, as it is served."""

    name: str
    """In its address, and of what is kept to be answered later."""
    scope: str
    searches: type[Searches]
    status_types: Sequence[str]
    """What may be asked about with ``txn/status``, as its schema spells it."""

    @property
    def path(self) -> str:
        return f"/spdci/{self.name}"

    @property
    def search(self) -> Action:
        return Action(
            name="search",
            answer="on-search",
            path="/registry/on-search",
            references=searches.references_of,
            totals=lambda message: (len(searches.requests_of(message)),),
            work=partial(searches.answered, self.searches),
        )

    @property
    def status(self) -> Action:
        return Action(
            name="txn-status",
            answer="txn-on-status",
            path="/registry/txn/on-status",
            references=lambda message: [status.reference_of(message, types=self.status_types)],
            totals=lambda _: (1,),
            work=partial(status.answer, register=self.name, types=self.status_types),
        )


def application(
    register: Register,
    *,
    title: str,
    summary: str,
    description: str,
    searching: str,
    found: str,
    search_example: Json,
    found_example: Json,
) -> FastAPI:
    """A sub-application that shows our public keys, is searched, tells how what was asked stands,
    and says what is wrong in the standard's words; ``mounting`` gives it its parent's state.

    ``searching`` begins the summaries of searches, and ``found`` says what they find.
    """
    app = FastAPI(
        title=title,
        summary=summary,
        description=description,
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
    )
    _add_keys(app)
    _add_errors(app)
    search, asked_about = register.search, register.status
    add_now(
        app,
        register,
        search,
        at="/registry/sync/search",
        summary=f"{searching}, and be answered at once",
        description=found,
        example=search_example,
        answer=found_example,
    )
    add_later(
        app,
        register,
        search,
        at="/registry/search",
        summary=f"{searching}, and be answered later",
        description="Keeps the searches and says so. The answer is sent to `/registry/on-search` "
        "behind the partner's address, again and again until it is taken.",
        example=search_example,
    )
    add_now(
        app,
        register,
        asked_about,
        at="/registry/sync/txn/status",
        summary="Ask how what was asked stands",
        description="How what is answered later stands: pending, or its answer once more.",
        example=examples.TXN_STATUS,
        answer=examples.TXN_STATUS_TOLD,
    )
    add_later(
        app,
        register,
        asked_about,
        at="/registry/txn/status",
        summary="Ask how what was asked stands, and be answered later",
        description="As `/registry/sync/txn/status`; the answer is sent to "
        "`/registry/txn/on-status`.",
        example=examples.TXN_STATUS,
    )
    return app


def add_now(
    app: FastAPI,
    register: Register,
    action: Action,
    *,
    at: str,
    name: str | None = None,
    summary: str,
    description: str,
    example: Json,
    answer: Json,
) -> None:
    """Have an action asked at an address, and answered there at once."""

    async def work(taken: Taken) -> Answered:
        require_total(taken.header, *action.totals(taken.message))
        return await action.work(taken.question)

    @app.post(
        at,
        name=name or f"sync {action.name}",
        summary=summary,
        description=description,
        openapi_extra=examples.body(example),
        responses=examples.responses(answer),
    )
    async def answered_now(request: Request) -> Response:
        return await exchange(
            request,
            scope=register.scope,
            action=action.name,
            answer_action=action.answer,
            work=work,
        )


def add_later(
    app: FastAPI,
    register: Register,
    action: Action,
    *,
    at: str,
    summary: str,
    description: str,
    example: Json,
) -> None:
    """Have an action asked at an address, acknowledged there, and answered when it is its turn."""

    async def keep(taken: Taken) -> Json:
        require_total(taken.header, *action.totals(taken.message))
        return await take(
            taken, register=register.name, reference_ids=action.references(taken.message)
        )

    @app.post(
        at,
        name=action.name,
        summary=summary,
        description=description,
        openapi_extra=examples.body(example),
        responses=examples.responses(examples.ACKNOWLEDGED),
    )
    async def answered_later(request: Request) -> Response:
        return await acknowledge(request, scope=register.scope, action=action.name, work=keep)


def _add_keys(app: FastAPI) -> None:
    @app.get("/.well-known/jwks.json", summary="Our public keys")
    async def jwks(request: Request) -> Mapping[str, Any]:
        """What verifies our signatures: a JSON Web Key Set (RFC 7517)."""
        return {"keys": public_keys(request.app.state.settings)}


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(404)
    async def no_such_path(request: Request, _: Exception) -> Response:
        return http_error(
            Refused(404, ErrorCode.NOT_FOUND, "The standard has no such address here.")
        )

    @app.exception_handler(405)
    async def another_method(request: Request, _: Exception) -> Response:
        return http_error(Refused(405, ErrorCode.BAD, "Messages are sent by POST."))
