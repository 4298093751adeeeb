"""Working planned chunks: each in one transaction, with its announcement.

Whatever happens to a worker, a chunk is either planned still or announced whole.
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.repository import share_fence
from services.registry.chunks import repository as chunks
from services.registry.chunks.states import ChunkStatus
from services.registry.duplicates import repository as duplicates
from services.registry.duplicates.holding import repository as holding
from services.registry.enrolments import repository, statements
from services.registry.enrolments.completion import announcement_of, end_run
from services.registry.enrolments.excluding import Excluding, excluding
from services.registry.enrolments.repository import Made, MadeByStatus
from services.registry.enrolments.statements import TAKEN_BY_AN_ACTIVATION, Further, Variant
from services.registry.enrolments.states import EntitlementStatus
from services.registry.funds.repository import maximum_payment_minor
from services.registry.schemes.document import Overlapping, SchemeDocument
from services.registry.schemes.service import get_document
from shared.approvals import Steps
from shared.clock import Clock
from shared.database import Database
from shared.errors import Explained, told
from shared.events import Published, publish_all
from shared.ids import round_parts

log = structlog.get_logger()

_Version = tuple[str, int]
"""A scheme's code and the number of one of its versions."""


class AnotherCame(Explained):
    """Another activation of the scheme came while a chunk was begun: it is begun again."""


class EnrolmentWork:
    """Works planned chunks, one at each step."""

    def __init__(self, database: Database, *, steps: Steps, clock: Clock) -> None:
        self._database = database
        self._steps = steps
        self._clock = clock
        # Versions never change, so neither do these.
        self._documents: dict[_Version, SchemeDocument] = {}
        self._statements: dict[tuple[_Version, bool, Variant], statements.Totals] = {}
        self._careful_with: set[UUID] = set()

    async def step(self) -> int:
        """Work one planned chunk; 0 when none waits."""
        chunk_id: UUID | None = None
        try:
            async with self._database.transaction() as session:
                await share_fence(session)
                await duplicates.share_fence(session)
                chunk = await chunks.claim_planned(session)
                if chunk is None:
                    return 0
                chunk_id = chunk.id
                await self._work(session, chunk)
        except Exception as error:
            if chunk_id is None or connection_is_gone(error):
                raise
            if isinstance(error, AnotherCame):
                return 1
            if isinstance(error, IntegrityError) and chunk_id not in self._careful_with:
                # Rare: a household was enrolled in one commune, and lives in another since.
                self._careful_with.add(chunk_id)
                return 1
            await self._put_off(chunk_id, error)
        self._careful_with.discard(chunk_id)
        return 1

    async def _work(self, session: AsyncSession, chunk: Row[Any]) -> None:
        document = await self._document(session, (chunk.scheme_code, chunk.scheme_version))
        made = await self._make(session, chunk, document)
        made = await self._without_suspected(session, chunk, made)
        is_last = await self._finish(session, chunk.id, made)
        facts: list[Published] = []
        if EntitlementStatus.READY in made:
            payable = made[EntitlementStatus.READY]
            facts.append(
                announcement_of(chunk, document, count=payable.count, total_minor=payable.minor)
            )
        if is_last:
            run_id = chunk.enrolment_run_id
            facts += await end_run(session, run_id, document, steps=self._steps, clock=self._clock)
        await publish_all(session, facts, clock=self._clock)

    async def _make(
        self, session: AsyncSession, chunk: Row[Any], document: SchemeDocument
    ) -> MadeByStatus:
        values: dict[str, Any] = {
            "activation_id": chunk.activation_id,
            "chunk_id": chunk.id,
            "round": chunk.round,
            "as_of": chunk.due_on,
            "maximum_minor": await maximum_payment_minor(session, document.fund),
            **round_parts(chunk.activation_id, chunk.round),
        }
        excluding = await self._excluding(session, chunk, document)
        if excluding:
            values |= excluding.values
        officers = await repository.officers_exclude(session, document.code)
        if officers:
            values["scheme"] = document.code
        further = None
        if chunk.first_round_chunk_id is None:
            values["area_codes"] = chunk.area_codes
            values["as_of"] = chunk.due_on
            further = self._whom(chunk)
            if further is not None:
                values["known_until"] = chunk.known_until
            if further in (Further.NAMED, Further.BY_HAND):
                values["household_ids"] = chunk.household_ids
        else:
            values["first_round_chunk_id"] = chunk.first_round_chunk_id
        variant = Variant(
            excluding=bool(excluding),
            officers=officers,
            careful=chunk.id in self._careful_with,
            further=further,
        )
        return await repository.make(session, self._statement(chunk, document, variant), values)

    @staticmethod
    def _whom(chunk: Row[Any]) -> Further | None:
        if chunk.known_until is None:
            return None
        if chunk.whatever_the_rule:
            return Further.BY_HAND
        return Further.LATE if chunk.household_ids is None else Further.NAMED

    def _statement(
        self, chunk: Row[Any], document: SchemeDocument, variant: Variant
    ) -> statements.Totals:
        is_later = chunk.first_round_chunk_id is not None
        key = ((chunk.scheme_code, chunk.scheme_version), is_later, variant)
        if key not in self._statements:
            make = statements.later_round if is_later else statements.first_round
            self._statements[key] = make(document, variant)
        return self._statements[key]

    async def _without_suspected(
        self, session: AsyncSession, chunk: Row[Any], made: MadeByStatus
    ) -> MadeByStatus:
        """What is left once whoever may be another that is paid is set aside."""
        suspected = await holding.lock_of_chunk(
            session, chunk.id, activation_id=chunk.activation_id, round_number=chunk.round
        )
        if not suspected:
            return made
        aside = Made(*await holding.set_aside(session, chunk.id, suspected))
        return repository.moved(made, aside, EntitlementStatus.READY, EntitlementStatus.UNPAYABLE)

    async def _excluding(
        self, session: AsyncSession, chunk: Row[Any], document: SchemeDocument
    ) -> Excluding:
        """Who keeps households out of this round, and nobody else until the commit.

        Another activation of the scheme may take the same households. As long as there is none,
        chunks go side by side; raises AnotherCame where one has come meanwhile.
        """

        async def look() -> Excluding:
            return await excluding(
                session,
                document,
                number=chunk.round,
                due_on=chunk.due_on,
                activation_id=chunk.activation_id,
                clock=self._clock,
            )

        if document.overlapping is Overlapping.PAID:
            return await look()
        alone = TAKEN_BY_AN_ACTIVATION in (await look()).reasons
        await repository.lock_households(
            session, chunk.scheme_code, chunk.province_code, alone=alone
        )
        found = await look()
        if TAKEN_BY_AN_ACTIVATION in found.reasons and not alone:
            raise AnotherCame
        return found

    async def _finish(self, session: AsyncSession, chunk_id: UUID, made: MadeByStatus) -> bool:
        """Keep what the chunk made; whether it was its run's last."""
        payable = made.get(EntitlementStatus.READY, Made())
        unpayable = made.get(EntitlementStatus.UNPAYABLE, Made())
        return await chunks.finish(
            session,
            chunk_id,
            ChunkStatus.ANNOUNCED if payable.count else ChunkStatus.EMPTY,
            at=self._clock.now(),
            announced_count=payable.count,
            announced_minor=payable.minor,
            payable_count=payable.count,
            payable_minor=payable.minor,
            unpayable_count=unpayable.count,
            unpayable_minor=unpayable.minor,
            excluded_count=made.get(EntitlementStatus.EXCLUDED, Made()).count,
        )

    async def _document(self, session: AsyncSession, version: _Version) -> SchemeDocument:
        if version not in self._documents:
            self._documents[version] = await get_document(session, *version)
        return self._documents[version]

    async def _put_off(self, chunk_id: UUID, error: Exception) -> None:
        """Leave the chunk planned, to be tried again later, with the reason to be seen."""
        log.error("chunk_put_off", chunk_id=str(chunk_id), error=told(error))
        async with self._database.transaction() as session:
            await chunks.put_off(session, chunk_id, error=told(error))


def connection_is_gone(error: Exception) -> bool:
    """Whether an error says nothing of the chunk: there is no database to note it in."""
    return isinstance(error, OSError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
