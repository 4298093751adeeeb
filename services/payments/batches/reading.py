"""Reading the results of a batch, page by page, and recording each as it is read."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from services.payments.answers.recording import Recording
from services.payments.answers.repository import Waiting, store_answers
from services.payments.batches.outcomes import ACTOR
from services.payments.batches.repository import DueBatch
from services.payments.batches.results import Results, heard_of, plain_and_odd
from services.payments.instructions.moves import InstructionMoves
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.batches import (
    AsksTransactions,
    BatchAdapter,
    LineResult,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.directory import ProviderDirectory
from services.payments.settings import Settings
from shared.database import Database
from shared.errors import told

log = structlog.get_logger()

_PAGES_AT_ONCE = 3
"""They wait for one another where they book; what else the worker does needs connections too."""


class Reading:
    """Reads the results of one provider's batches."""

    def __init__(
        self,
        *,
        adapter: BatchAdapter,
        settings: Settings,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        recording: Recording,
    ) -> None:
        self._adapter = adapter
        self._settings = settings
        self._directory = directory
        self._database = database
        self._recording = recording
        self._results = Results(clock=moves.clock, waits=moves.waits)
        self._turns = asyncio.Semaphore(_PAGES_AT_ONCE)

    async def read_kind(self, batch: DueBatch, kind: ResultKind) -> DueBatch | None:
        """Read the pages of one kind to the last; None: one of them could not be read."""
        while True:
            page = await self._page(batch, kind)
            if page is None:
                return None
            if not page.count:
                return batch
            read = await self._apply(batch, kind, page, asked=await self._ask_about(page))
            if read is None:
                return None
            batch = read

    async def _page(self, batch: DueBatch, kind: ResultKind) -> ResultsPage | None:
        try:
            return await self._adapter.read_results(
                batch.name,
                kind,
                offset=batch.read_to(kind),
                limit=self._settings.batch_page_size,
            )
        except Exception as error:
            log.error("adapter_failed", provider=self._adapter.code, error=told(error))
            return None

    async def _ask_about(self, page: ResultsPage) -> dict[UUID, Answer]:
        """What the provider says of lines that it calls repeated, by the reference of the first.

        Only what is final, and by the line's own id: of another payment it says nothing.
        """
        adapter = self._adapter
        if not isinstance(adapter, AsksTransactions):
            return {}
        asked: dict[UUID, Answer] = {}
        for result in page.results:
            if result.is_decided or result.our_reference is None:
                continue
            if (reference := result.transaction_reference) is None:
                continue
            answer = await adapter.ask_transaction(reference)
            if answer.kind is AnswerKind.SETTLED and answer.our_reference == result.our_reference:
                asked[result.our_reference] = answer
        return asked

    async def _apply(
        self, batch: DueBatch, kind: ResultKind, page: ResultsPage, *, asked: Mapping[UUID, Answer]
    ) -> DueBatch | None:
        """Record a page; None: another worker is at it."""
        plain, odd = plain_and_odd(page)
        try:
            stored = await self._apply_in_one(batch, kind, page, plain=plain, odd=odd, asked=asked)
        except IntegrityError:
            # Something beside us took a reference: each line by itself, as any other answer.
            stored = await self._apply_in_one(
                batch, kind, page, plain=[], odd=[*plain, *odd], asked=asked
            )
        if stored is None:
            return None
        await self._recording.apply(stored)
        return batch.after_reading(kind, page.count)

    async def _apply_in_one(
        self,
        batch: DueBatch,
        kind: ResultKind,
        page: ResultsPage,
        *,
        plain: Sequence[LineResult],
        odd: Sequence[LineResult],
        asked: Mapping[UUID, Answer],
    ) -> list[Waiting] | None:
        number = await self._directory.number_of(self._adapter.code)
        async with self._turns, self._database.transaction() as session:
            if not await self._results.note_read(
                session,
                batch,
                kind,
                offset=batch.read_to(kind),
                count=page.count,
                lease_seconds=self._settings.batch_lease_seconds,
            ):
                return None
            left = await self._results.apply(session, batch, kind, plain, actor=ACTOR)
            answers = [
                heard_of(result, provider_number=number, said=_said_of(result, asked))
                for result in [*odd, *(each for each in plain if each.our_reference in left)]
            ]
            return await store_answers(session, answers, actor=ACTOR) if answers else []


def _said_of(result: LineResult, asked: Mapping[UUID, Answer]) -> Answer | None:
    if result.is_decided or result.our_reference is None:
        return None
    return asked.get(result.our_reference)
