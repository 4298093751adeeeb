"""Exports in the audit record: who took which rows out, when, and how many."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.audit.recording import Author, add_export
from shared.database import Database


@dataclass(slots=True)
class Taken:
    """How much of an export was told."""

    rows: int = 0
    is_whole: bool = False
    """Its last row was told: whoever reads may still have broken off before they had it."""


class Export(StreamingResponse):
    """An answer that takes rows out, recorded before its first piece, and again with how many rows
    it told once it has ended, whatever becomes of its reader."""

    def __init__(
        self,
        request: Request,
        pieces: AsyncIterator[bytes],
        taken: Taken,
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``pieces`` keeps in ``taken`` how many rows it has told."""
        super().__init__(_to_the_end(pieces, taken), media_type=media_type, headers=headers)
        self._database: Database = request.app.state.database
        self._author = Author(request)
        self._what = {
            "media_type": media_type,
            "filters": _filters(request),
        }
        self._taken = taken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._record(None)
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also where whoever reads has gone, and this is cancelled.
            await asyncio.shield(asyncio.ensure_future(self._record(self._taken)))

    async def _record(self, taken: Taken | None) -> None:
        told = {"rows": taken.rows, "whole": taken.is_whole} if taken else {}
        async with self._database.transaction() as session:
            await add_export(session, self._author, after={**self._what, **told})


def _filters(request: Request) -> dict[str, str]:
    """What the operation checked, and nothing else that somebody wrote into the address."""
    declared = {field.alias for field in request.scope["route"].dependant.query_params}
    return {name: value for name, value in request.query_params.items() if name in declared}


async def _to_the_end(pieces: AsyncIterator[bytes], taken: Taken) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece
    taken.is_whole = True
