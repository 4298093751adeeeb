"""Applying results of a batch: a page in a transaction, its plain lines in one statement."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.repository import Heard
from services.payments.batches.repository import DueBatch
from services.payments.batches.statements import READ_TO, STAGING, end_lines
from services.payments.instructions.moves import Waits
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.batches import LineResult, ResultKind, ResultsPage
from shared.clock import Clock
from shared.database import driver_connection

Name = TypeVar("Name")


class Results:
    """Applies pages of results."""

    def __init__(self, *, clock: Clock, waits: Waits) -> None:
        self._clock = clock
        self._statements = end_lines(waits)

    async def note_read(
        self,
        session: AsyncSession,
        batch: DueBatch,
        kind: ResultKind,
        *,
        offset: int,
        count: int,
        lease_seconds: float,
    ) -> bool:
        """Note that a page is read, with the session's transaction; False: somebody else has."""
        given = {
            "number": batch.number,
            "position": batch.position,
            "offset": offset,
            "count": count,
            "lease_seconds": lease_seconds,
        }
        return await session.scalar(READ_TO[kind], given) is not None

    async def apply(
        self,
        session: AsyncSession,
        batch: DueBatch,
        kind: ResultKind,
        plain: Sequence[LineResult],
        *,
        actor: str,
    ) -> set[UUID]:
        """Settle or reject the plain lines of a page; those that did not let themselves move."""
        if not plain:
            return set()
        await session.execute(STAGING)
        connection = await driver_connection(session)
        await connection.copy_records_to_table(
            "batch_result",
            records=[
                (result.our_reference, result.transaction_reference, result.reason)
                for result in plain
            ],
            columns=["instruction_id", "transaction_reference", "reason"],
        )
        left = await session.execute(
            self._statements[kind],
            {"number": batch.number, "actor": actor, "at": self._clock.now()},
        )
        return set(left.scalars())


def plain_and_odd(page: ResultsPage) -> tuple[list[LineResult], list[LineResult]]:
    """A page's results that name a line and a reference that no other of the page names; others.

    A result that does not say how its line ended is among the others.

    What names no line of ours is in neither: it says nothing that we could record.
    """
    named = [result for result in page.results if result.our_reference is not None]
    lines = _repeated([result.our_reference for result in named])
    references = _repeated(
        [result.transaction_reference for result in named if result.transaction_reference]
    )
    plain: list[LineResult] = []
    odd: list[LineResult] = []
    for result in named:
        is_odd = (
            not result.is_decided
            or result.our_reference in lines
            or result.transaction_reference in references
        )
        (odd if is_odd else plain).append(result)
    return plain, odd


def _repeated(names: list[Name]) -> set[Name]:
    if len(set(names)) == len(names):
        return set()
    return {name for name, count in Counter(names).items() if count > 1}


def heard_of(result: LineResult, *, provider_number: int, said: Answer | None = None) -> Heard:
    """What a result says, as an answer about its payment; ``said``: what was told when asked."""
    assert result.our_reference is not None
    if said is not None:
        return Heard(result.our_reference, provider_number, said)
    if result.kind is ResultKind.COMPLETIONS:
        answer = Answer(
            AnswerKind.SETTLED,
            our_reference=result.our_reference,
            transaction_reference=result.transaction_reference,
        )
    else:
        kind = AnswerKind.REJECTED if result.is_decided else AnswerKind.NO_ANSWER
        answer = Answer(kind, reason=result.reason)
    return Heard(result.our_reference, provider_number, answer)
