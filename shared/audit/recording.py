"""Writing the audit record: by the session of the request, in the transaction of the change."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from sqlalchemy.ext.asyncio import AsyncSession

from shared.audit import repository
from shared.audit.purpose import purpose_of
from shared.auth.bearer import Caller
from shared.database import Database
from shared.ids import new_id
from shared.operations import Operations
from shared.version import API_PREFIX

_AUTHOR = "author"
_REASON_CHARACTERS = 1_000
_PARAMETER = re.compile(r"\{([^}/]+)\}")


class Author:
    """Who sent a request, what it is about, and whose personal values it showed."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.objects: list[str] = []
        # As an ordered set.
        self.shown: dict[str, None] = {}

    @property
    def schema(self) -> str:
        return str(self._request.app.state.settings.service)

    def who(self) -> dict[str, object]:
        """The columns that say who, from where, and by which operation."""
        caller: Caller | None = getattr(self._request.state, "caller", None)
        if caller is None:
            raise RuntimeError("An operation changes or shows something, and asks for no token.")
        return {
            "subject": caller.subject,
            "client": caller.client,
            "request_id": UUID(self._request.state.request_id),
            "operation": f"{self._request.method} {self._template}",
        }

    def of_path(self) -> Iterator[str]:
        """What the path is about: ``funds/relief`` of ``/v1/funds/relief/deposits``, and whatever
        within that has an id of its own; the path where nothing has."""
        template = self._template.removeprefix(API_PREFIX).strip("/").split("/")
        path: list[str] = []
        for part in template:
            parameter = _PARAMETER.fullmatch(part)
            path.append(str(self._request.path_params[parameter[1]]) if parameter else part)
            if parameter:
                yield "/".join(path)
        if template == path:
            yield "/".join(path)

    async def reason(self) -> str | None:
        """Why, where the body says it."""
        # Only where the operation takes a body: then it was read already, and is kept.
        if getattr(self._request.scope["route"], "body_field", None) is None:
            return None
        body = await self._request.json()
        reason = body.get("reason") if isinstance(body, dict) else None
        return reason[:_REASON_CHARACTERS] if isinstance(reason, str) else None

    def purpose(self) -> str | None:
        """What for, where the header says it."""
        return purpose_of(self._request.headers)

    @cached_property
    def _template(self) -> str:
        operations: Operations = self._request.app.state.operations
        return operations.template(self._request.method, self._request.scope["path"])


@asynccontextmanager
async def recorded(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's session, in one transaction with the record of what it changed.

    Whatever wrote something is recorded unless it rolls back, whatever the operation is; a repeat
    that is answered with the first answer wrote nothing. A GET cannot write: its transaction is
    read-only. The record of an unmasked read is there before the values leave.
    """
    database: Database = request.app.state.database
    author = Author(request)
    if request.method == "GET":
        async with database.reading() as session:
            session.info[_AUTHOR] = author
            yield session
        if author.shown:
            async with database.transaction() as session:
                await _add_read(session, author)
        return
    async with database.transaction() as session:
        session.info[_AUTHOR] = author
        yield session
        await repository.add_unless_recorded(
            session,
            author.schema,
            id=new_id(),
            **author.who(),
            unmasked_read=False,
            objects=_unique(*author.of_path(), *author.objects),
            reason=await author.reason(),
        )
        if author.shown:
            await _add_read(session, author)


async def record(
    session: AsyncSession,
    *objects: str,
    before: Any = None,
    after: Any = None,
    reason: str | None = None,
) -> None:
    """Record a change with its details, in its transaction: in place of the request's own record.

    ``objects`` are what it is about beside what the path says (``funds/relief``); ``before`` and
    ``after`` are what it changed of them, and hold what is personal sealed. Without a ``reason``
    the body's counts. Outside a request, where no caller is, nothing is recorded: the histories
    say what a worker did, and on which event.
    """
    author: Author | None = session.info.get(_AUTHOR)
    if author is None:
        return
    await repository.add(
        session,
        author.schema,
        id=new_id(),
        **author.who(),
        unmasked_read=False,
        objects=_unique(*author.of_path(), *objects),
        before=jsonable_encoder(before),
        after=jsonable_encoder(after),
        reason=reason or await author.reason(),
    )


def about(session: AsyncSession, *objects: str) -> None:
    """Say what the request's own record is about, beside what its path says."""
    author: Author | None = session.info.get(_AUTHOR)
    if author is not None:
        author.objects.extend(objects)


def showed(session: AsyncSession, thing: str) -> None:
    """Say that personal values of a thing (``households/…``) are shown to the caller unmasked."""
    author: Author = session.info[_AUTHOR]
    author.shown[thing] = None


def speak_for(session: AsyncSession, *, request_session: AsyncSession) -> None:
    """Have ``record`` write into another transaction that the same request caused."""
    session.info[_AUTHOR] = request_session.info[_AUTHOR]


async def read_later(
    session: AsyncSession,
    schema: str,
    *,
    subject: str,
    client: str | None,
    request_id: UUID,
    operation: str,
    things: Sequence[str],
) -> None:
    """Record that personal values are shown to somebody whose request is over: it is answered
    later. ``things`` are as in ``showed``."""
    await repository.add(
        session,
        schema,
        id=new_id(),
        subject=subject,
        client=client,
        request_id=request_id,
        operation=operation,
        unmasked_read=True,
        objects=list(things),
    )


async def _add_read(session: AsyncSession, author: Author) -> None:
    await repository.add(
        session,
        author.schema,
        id=new_id(),
        **author.who(),
        unmasked_read=True,
        objects=list(author.shown),
        reason=author.purpose(),
    )


async def add_export(session: AsyncSession, author: Author, *, after: Any) -> None:
    """Record that rows are taken out: before any is, and with how many once all are."""
    await repository.add(
        session,
        author.schema,
        id=new_id(),
        **author.who(),
        unmasked_read=False,
        objects=list(author.of_path()),
        after=jsonable_encoder(after),
        reason=author.purpose(),
    )


def _unique(*objects: str) -> list[str]:
    return list(dict.fromkeys(objects))
