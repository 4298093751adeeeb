"""Working the chunks of repairs: each in one transaction, with its announcement."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.chunks import repository as chunks
from services.registry.chunks.states import ChunkStatus
from services.registry.duplicates import repository as duplicates
from services.registry.duplicates.holding import repository as holding
from services.registry.enrolments import repository as enrolments
from services.registry.enrolments.completion import announcement_of, complete_run
from services.registry.enrolments.working import connection_is_gone
from services.registry.funds.repository import maximum_payment_minor
from services.registry.repairs import repository
from services.registry.schemes.service import get_document
from shared.clock import Clock
from shared.database import Database
from shared.errors import told
from shared.events import Published, publish_all

log = structlog.get_logger()


class RepairWork:
    """Works planned chunks of repairs, one at each step."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> int:
        """Work one planned chunk; 0 when none waits."""
        chunk_id: UUID | None = None
        try:
            async with self._database.transaction() as session:
                await duplicates.share_fence(session)
                chunk = await repository.claim_planned(session)
                if chunk is None:
                    return 0
                chunk_id = chunk.id
                await self._work(session, chunk)
        except Exception as error:
            if chunk_id is None or connection_is_gone(error):
                raise
            log.error("chunk_put_off", chunk_id=str(chunk_id), error=told(error))
            async with self._database.transaction() as session:
                await chunks.put_off(session, chunk_id, error=told(error))
        return 1

    async def _work(self, session: AsyncSession, chunk: Row[Any]) -> None:
        document = await get_document(session, chunk.scheme_code, chunk.scheme_version)
        maximum_minor = await maximum_payment_minor(session, document.fund)
        await holding.lock_of_chunk(
            session,
            chunk.home_chunk_id,
            activation_id=chunk.activation_id,
            round_number=chunk.round,
        )
        count, total_minor = await repository.announce(session, chunk, maximum_minor=maximum_minor)
        home = await chunks.find_chunk(session, chunk.home_chunk_id)
        assert home is not None
        await chunks.keep_sums(session, home.id, await enrolments.sums_of_chunk(session, home))
        is_last = await chunks.finish(
            session,
            chunk.id,
            ChunkStatus.ANNOUNCED if count else ChunkStatus.EMPTY,
            at=self._clock.now(),
            announced_count=count,
            announced_minor=total_minor,
            payable_count=count,
            payable_minor=total_minor,
        )
        facts: list[Published] = []
        if count:
            facts.append(announcement_of(chunk, document, count=count, total_minor=total_minor))
        if is_last:
            run_id = chunk.enrolment_run_id
            facts.append(await complete_run(session, run_id, document, clock=self._clock))
        await publish_all(session, facts, clock=self._clock)
