"""``Idempotency-Key``: a POST that creates may be sent again, and creates once.

Source: the IETF draft "The Idempotency-Key HTTP Header Field". The key is kept, with the answer,
in the transaction of the effect; the same key with another body is refused.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit import about
from shared.auth.bearer import AnyCaller, Caller
from shared.database import Session
from shared.errors import BadRequest, Unprocessable
from shared.version import API_PREFIX

_MAXIMUM_CHARACTERS = 128
_BODY = bindparam("body", type_=JSONB)


def idempotency_table(metadata: MetaData) -> Table:
    """A service's remembered answers, in its own schema."""
    return Table(
        "idempotency_key",
        metadata,
        Column("caller", Text, nullable=False),
        Column("route", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("request_digest", LargeBinary, nullable=False),
        Column("status", Integer),
        Column("body", JSONB),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        PrimaryKeyConstraint("caller", "route", "key"),
        comment="Answers to POSTs that create, so that a repeat gets the same answer.",
    )


class Idempotent:
    """The request's idempotency key, in the request's transaction."""

    def __init__(
        self, request: Request, session: AsyncSession, caller: Caller, key: str | None
    ) -> None:
        self._request = request
        self._session = session
        self._caller = caller
        self._key = key

    async def reply(
        self,
        body: Any,
        effect: Callable[[], Awaitable[Any]],
        *,
        status_code: int | Callable[[Any], int] = 201,
    ) -> Response:
        """Do ``effect`` once for each key of the caller, and answer every repeat alike.

        ``status_code`` may follow from what was done: at once, or proposed to a second person.

        Raises BadRequest without a key, and Unprocessable where the key came with another body.
        """
        if not self._key:
            raise BadRequest(
                "Send an Idempotency-Key header: a unique key of yours, kept for every retry."
            )
        schema = self._request.app.state.settings.service
        route = f"{self._request.method} {self._request.url.path}"
        digest = hashlib.sha256(repr(jsonable_encoder(body)).encode()).digest()
        identity = {"caller": self._caller.subject, "route": route, "key": self._key}
        # A concurrent request with the key waits here for the first one's commit.
        won = await self._session.scalar(
            text(
                f"INSERT INTO {schema}.idempotency_key (caller, route, key, request_digest) "
                "VALUES (:caller, :route, :key, :digest) ON CONFLICT DO NOTHING RETURNING true"
            ),
            {**identity, "digest": digest},
        )
        if not won:
            return await self._answer_of_the_first(schema, identity, digest)
        done = await effect()
        content = jsonable_encoder(done)
        status = status_code(done) if callable(status_code) else status_code
        if status == HTTPStatus.CREATED and not self._request.path_params:
            about(self._session, *_created(self._request.url.path, content))
        await self._session.execute(
            text(
                f"UPDATE {schema}.idempotency_key SET status = :status, body = :body "
                "WHERE (caller, route, key) = (:caller, :route, :key)"
            ).bindparams(_BODY),
            {**identity, "status": status, "body": content},
        )
        return JSONResponse(content, status_code=status)

    async def _answer_of_the_first(
        self, schema: str, identity: dict[str, str], digest: bytes
    ) -> Response:
        first = (
            await self._session.execute(
                text(
                    f"SELECT request_digest, status, body FROM {schema}.idempotency_key "
                    "WHERE (caller, route, key) = (:caller, :route, :key)"
                ).columns(body=JSONB),
                identity,
            )
        ).one()
        if first.request_digest != digest:
            raise Unprocessable(
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            )
        return JSONResponse(
            first.body, status_code=first.status, headers={"Idempotent-Replayed": "true"}
        )


def _created(path: str, content: Any) -> Iterator[str]:
    """What a POST to a list made, by the answer's id or code: ``funds/relief``."""
    if isinstance(content, dict) and (key := content.get("id") or content.get("code")):
        yield f"{path.removeprefix(API_PREFIX).strip('/')}/{key}"


async def _once(
    request: Request,
    session: Session,
    caller: AnyCaller,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=_MAXIMUM_CHARACTERS,
            pattern="^[ -~]*$",
            description="A unique key of the caller's, the same for every retry.",
            examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"],
        ),
    ] = None,
) -> Idempotent:
    return Idempotent(request, session, caller, idempotency_key)


Once = Annotated[Idempotent, Depends(_once)]
