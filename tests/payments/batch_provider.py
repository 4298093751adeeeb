"""A provider that takes batches, keeps its own memory of what it paid, and fails as it is told."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import pytest

from services.payments.providers.adapters import ADAPTERS
from services.payments.providers.answers import Answer
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    LineResult,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.protocol import Capability, Order, Permit, Told
from services.payments.settings import ProviderSettings, WorkerSettings

SILENCE = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="timeout")
NOT_KNOWN = BatchAnswer(BatchAnswerKind.NOT_KNOWN, reason="not_known_to_provider")


class Fault(StrEnum):
    """What goes wrong with one exchange."""

    NONE = "none"
    LOST_BEFORE = "lost-before"
    """The request never arrives."""
    LOST_AFTER = "lost-after"
    """It arrives and is done, and the answer is lost."""
    REFUSED = "refused"
    """A new batch is refused whole, for one of its lines."""
    REFUSED_AFTER = "refused-after"
    """An approval is done, and answered as if it were refused."""
    BUSY = "busy"
    """A new batch is refused whole, for a reason that passes."""
    NOT_TAKEN = "not-taken"
    """A batch is not looked at, for there are too many."""
    NOT_KNOWN = "not-known"
    """A question is answered as if nothing were known of it."""
    HALF_READ = "half-read"
    """A page of results breaks off."""
    SHUFFLED = "shuffled"
    """A page comes in another order than the one before."""


@dataclass
class Taken:
    """A batch as the provider has it."""

    name: str
    lines: list[UUID]
    approved: bool
    worked: bool = False


@dataclass
class BatchProvider:
    """Its memory: which batches it has, and how often it paid each line."""

    two_steps: bool = True
    recognises_repeats: bool = True
    bad_accounts: frozenset[int] = frozenset()
    """Of the lines in the order of their ids: every so many cannot be paid."""
    poisoned: set[UUID] = field(default_factory=set)
    """Lines for which a whole batch is refused."""
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    taken: dict[UUID, list[Taken]] = field(default_factory=dict)
    paid: Counter[UUID] = field(default_factory=Counter)
    rejected: set[UUID] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    known: bool = True
    """Whether it says that it knows what it has."""

    def take(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        if (refusal := permit.refusal()) is not None:
            return BatchAnswer(BatchAnswerKind.NOT_SENT, reason=refusal)
        self.requests["take"] += 1
        fault = next(self.faults, Fault.NONE)
        if fault is Fault.LOST_BEFORE:
            return SILENCE
        if fault is Fault.NOT_TAKEN:
            return BatchAnswer(BatchAnswerKind.NOT_TAKEN, reason="rateLimitError", rest_seconds=0)
        before = self.taken.setdefault(order.batch_id, [])
        if before and self.recognises_repeats:
            return SILENCE if fault is Fault.LOST_AFTER else self._state(before[-1])
        if fault is Fault.BUSY:
            return BatchAnswer(BatchAnswerKind.REFUSED, reason="insufficientFunds", passes=True)
        lines = [line.instruction_id for line in order.lines]
        if fault is Fault.REFUSED or self.poisoned & set(lines):
            return BatchAnswer(BatchAnswerKind.REFUSED, reason="formatError")
        batch = Taken(f"{order.batch_id}-{len(before)}", lines, approved=not self.two_steps)
        before.append(batch)
        if batch.approved:
            self._pay(batch)
        return SILENCE if fault is Fault.LOST_AFTER else self._state(batch)

    def approve(self, name: BatchName, permit: Permit) -> BatchAnswer:
        if (refusal := permit.refusal()) is not None:
            return BatchAnswer(BatchAnswerKind.NOT_SENT, reason=refusal)
        fault = next(self.faults, Fault.NONE)
        batch = self._find(name)
        if fault is Fault.LOST_BEFORE or batch is None:
            return SILENCE
        batch.approved = True
        self._pay(batch)
        if fault is Fault.REFUSED_AFTER:
            return BatchAnswer(BatchAnswerKind.REFUSED, reason="requestDeclined")
        return SILENCE if fault is Fault.LOST_AFTER else BatchAnswer(BatchAnswerKind.UNDER_WAY)

    def ask(self, name: BatchName) -> BatchAnswer:
        self.requests["ask"] += 1
        fault = next(self.faults, Fault.NONE)
        if fault in (Fault.LOST_BEFORE, Fault.LOST_AFTER):
            return SILENCE
        batch = self._find(name)
        if batch is None or not self.known or fault is Fault.NOT_KNOWN:
            return NOT_KNOWN
        return self._state(batch)

    def results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        fault = next(self.faults, Fault.NONE)
        batch = self._find(name)
        if batch is None or fault in (Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.HALF_READ):
            return None
        wanted = self.rejected if kind is ResultKind.REJECTIONS else set(self.paid)
        lines = [line for line in batch.lines if line in wanted] if batch.worked else []
        if fault is Fault.SHUFFLED:
            lines.reverse()
        page = lines[offset : offset + limit]
        return ResultsPage(
            results=[
                LineResult(
                    kind,
                    line,
                    transaction_reference=f"of-{line}" if kind is ResultKind.COMPLETIONS else None,
                    reason="incorrectState" if kind is ResultKind.REJECTIONS else None,
                )
                for line in page
            ],
            count=len(page),
        )

    def _find(self, name: BatchName) -> Taken | None:
        batches = self.taken.get(name.batch_id, [])
        return batches[-1] if batches else None

    def _pay(self, batch: Taken) -> None:
        if batch.worked:
            return
        batch.worked = True
        for position, line in enumerate(batch.lines):
            if position in self.bad_accounts:
                self.rejected.add(line)
            else:
                self.paid[line] += 1

    def _state(self, batch: Taken) -> BatchAnswer:
        kind = BatchAnswerKind.COMPLETED if batch.worked else BatchAnswerKind.CREATED
        return BatchAnswer(kind, provider_batch_id=batch.name)


@pytest.fixture
def provider(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> BatchProvider:
    """Every provider takes batches, and is this one."""
    provider = BatchProvider()

    class Scripted:
        capabilities = frozenset({Capability.BATCH})

        def __init__(self, settings: ProviderSettings, _: WorkerSettings) -> None:
            self.code = settings.code

        async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
            return provider.take(order, permit)

        async def approve_batch(self, name: BatchName, permit: Permit) -> BatchAnswer:
            return provider.approve(name, permit)

        async def ask_batch(self, name: BatchName) -> BatchAnswer:
            return provider.ask(name)

        async def read_results(
            self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
        ) -> ResultsPage | None:
            return provider.results(name, kind, offset=offset, limit=limit)

        async def send(self, order: Order, permit: Permit) -> Answer:
            raise AssertionError("nothing is sent singly")

        async def inquire(self, instruction_id: UUID, server_correlation_id: UUID | None) -> Answer:
            raise AssertionError("nothing is asked about singly")

        def read_callback(self, body: bytes) -> Told | None:
            return None

        async def close(self) -> None:
            pass

    monkeypatch.setitem(ADAPTERS, "gsma-mobile-money-1.2", Scripted)
    return provider


def lines_paid(provider: BatchProvider) -> Mapping[UUID, int]:
    """How often the provider paid each line."""
    return dict(provider.paid)
