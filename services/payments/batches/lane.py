"""Batches at one provider, as a worker deals with them: sent, approved, asked about, read.

Each transition is committed before what it says happens, and nothing happens within a transaction.
Whoever dies here leaves a batch with a lease; whoever finds it asks the provider.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import assert_never

import structlog
from sqlalchemy.exc import IntegrityError

from services.payments.answers.recording import Recording
from services.payments.batches import repository
from services.payments.batches.claiming import BatchClaims, MadeBatch, order_of
from services.payments.batches.outcomes import ACTOR, BatchOutcomes
from services.payments.batches.reading import Reading
from services.payments.batches.repository import DueBatch
from services.payments.batches.states import BatchStatus
from services.payments.dispatch.permits import (
    KnownPauses,
    LeasePermit,
    Stopping,
    seconds_since_boot,
)
from services.payments.dispatch.pipeline import Pipeline
from services.payments.instructions.moves import InstructionMoves
from services.payments.providers.batches import (
    BatchAdapter,
    BatchAnswer,
    BatchAnswerKind,
    BatchOrder,
    ResultKind,
)
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health.noting import Noting
from services.payments.providers.pace.pacing import Pace
from services.payments.providers.pausing import Pausing
from services.payments.settings import ProviderSettings, Settings
from shared.database import Database
from shared.errors import told
from shared.worker import Look

log = structlog.get_logger()

_CLOSING_SECONDS = 3.0
_BY_HAND_SECONDS = 86_400.0
"""Whoever brings results of a list has it looked at; one look at all finds what was missed."""
_TOO_LARGE = BatchAnswer(BatchAnswerKind.REFUSED, reason="above_batch_maximum")
"""Ours, and definite: nothing of it was sent, and none of its parts that are too large will be."""


class BatchLane:
    """One provider that takes batches."""

    def __init__(
        self,
        *,
        adapter: BatchAdapter,
        provider: ProviderSettings,
        settings: Settings,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        recording: Recording,
        noting: Noting,
        pauses: KnownPauses,
        pace: Pace,
        now: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self.on_step_taken: Callable[[], None] = _nobody_waits
        self.adapter = adapter
        self._pace = pace
        self.pausing = Pausing(settings.provider_pause, pace=pace)
        self.stopping = Stopping()
        self._provider = provider
        self._settings = settings
        self._directory = directory
        self._pauses = pauses
        self.database = database
        self.moves = moves
        self._noting = noting
        self._now = now
        # Whether the last look found something: then there is perhaps enough for two.
        self._is_busy = False
        # A provider that takes no more waits, perhaps, for what is due about what it has taken.
        self._refusals = 0
        self._refusals_seen_to = 0
        # By number, those that a job of this worker is at: what is told of one meanwhile is looked
        # at when that job has ended, and not by another beside it.
        self._at: set[int] = set()
        self._claims = BatchClaims(
            clock=moves.clock, waits=moves.waits, by_commune=provider.cash_list is not None
        )
        self._outcomes = BatchOutcomes(
            provider=adapter.code,
            directory=directory,
            database=database,
            moves=moves,
            recording=recording,
        )
        self._reading = Reading(
            adapter=adapter,
            settings=settings,
            directory=directory,
            database=database,
            moves=moves,
            recording=recording,
        )
        self.jobs: Pipeline[None] = Pipeline(
            _nothing_to_record,
            places=provider.batches_at_once,
            most=provider.batches_at_once,
            set_size=1,
            wait_seconds=0,
        )

    async def send_step(self) -> int:
        """Make one batch and have it sent; returns how many lines it has."""
        made = await self._made_and_sent(beside=True) if self._is_busy else 0
        if not made:
            # Alone, whatever is ready is found, as far as the float goes.
            made = await self._made_and_sent(beside=False)
        self._is_busy = made > 0 and self._provider.cash_list is None
        return made

    async def send_beside_step(self) -> int:
        """The same, while ``send_step`` is at it, of other payments."""
        return await self._made_and_sent(beside=True) if self._is_busy else 0

    async def _made_and_sent(self, *, beside: bool) -> int:
        is_due_first = self._refusals > self._refusals_seen_to
        if is_due_first or self.pausing.paused or await self._room() <= 0:
            return 0
        permit = self._permit()
        try:
            made = await self._make(beside=beside)
        except IntegrityError:
            if not beside:
                raise
            # The float was not enough for what was made side by side: nothing of it was.
            return 0
        if made is None:
            return 0
        self._noting.note_sent(made.order.total_minor)
        self._begin(partial(self._send, made.batch, made.order, permit))
        return len(made.order.lines)

    async def _make(self, *, beside: bool) -> MadeBatch | None:
        number = await self.provider_number()
        async with self.database.transaction() as session:
            return await self._claims.make(
                session,
                provider=self.adapter.code,
                provider_number=number,
                size=self._provider.batch_lines,
                most_minor=self._provider.batch_maximum_minor,
                most_open=self._provider.lists_at_once or self._provider.batches_at_once,
                lease_seconds=self._settings.batch_lease_seconds,
                actor=ACTOR,
                beside=beside,
            )

    async def due_step(self) -> int:
        """Do what is due about batches that are open; returns about how many.

        Where one was not taken, no other is made until that is done.
        """
        refusals = self._refusals
        room = 0 if self.pausing.paused else await self._room()
        if room <= 0:
            return 0
        number = await self.provider_number()
        async with self.database.transaction() as session:
            due = await repository.pick_due(
                session,
                provider_number=number,
                size=room,
                besides=self._at,
                lease_seconds=self._settings.batch_lease_seconds,
            )
        under_way = {batch.number for batch in due}
        self._at |= under_way

        async def work(batch: DueBatch) -> None:
            try:
                await self._work(batch)
            finally:
                self._at.discard(batch.number)
                under_way.discard(batch.number)
                if not under_way:
                    self._see_to(refusals)

        for batch in due:
            self._begin(partial(work, batch))
        if not due:
            self._see_to(refusals)
        return len(due)

    def due_look(self, look: Look) -> Look:
        """A look before ``due_step``: that is taken, too, where no batch is made until it was."""

        def ask(wake: Callable[[], None]) -> None:
            if self._refusals > self._refusals_seen_to:
                wake()
            else:
                look(wake)

        return ask

    def _see_to(self, refusals: int) -> None:
        """Let batches be made again, unless one was not taken meanwhile."""
        if refusals > self._refusals_seen_to:
            self._refusals_seen_to = refusals
            self.on_step_taken()

    def _begin(self, job: Callable[[], Awaitable[None]]) -> None:
        """Have a job done; what it leaves to be done next is looked for at once."""

        async def done() -> None:
            await job()
            self.on_step_taken()

        self.jobs.start(done)

    async def _room(self) -> int:
        most = await self._pace.most_ahead()
        return 0 if most == 0 else await self.jobs.room(most=most)

    async def close(self) -> None:
        """Let no request leave any more, and what is under way end."""
        self.stopping.begun = True
        seconds = self._settings.provider_timeout_seconds + _CLOSING_SECONDS
        await self.jobs.close(seconds=seconds, cancel=False)

    async def _work(self, batch: DueBatch) -> None:
        match batch.status:
            case BatchStatus.SENDING:
                await self._outcomes.move(batch, BatchStatus.UNKNOWN, reason="sender_lost")
            case BatchStatus.WAITING:
                await self._send_again(batch)
            case BatchStatus.UNKNOWN:
                await self._learn(batch, await self._ask(batch))
            case BatchStatus.CREATED:
                await self._approve(batch)
            case BatchStatus.APPROVING:
                await self._learn(batch, await self._ask(batch))
            case BatchStatus.UNDER_WAY:
                await self._read(batch)
            case BatchStatus.READ:
                await self._read_again(batch)
            case _:
                raise AssertionError(f"{batch.status} is due never")

    async def _send(self, batch: DueBatch, order: BatchOrder, permit: LeasePermit) -> None:
        if not batch.sent_before and self._is_too_large(order):
            await self._learn(batch, _TOO_LARGE)
            return
        answer = await self._heard(self.adapter.send_batch(order, permit))
        await self._outcomes.leave_out(batch, answer)
        if answer.kind is BatchAnswerKind.NOT_SENT and not batch.sent_before:
            await self._outcomes.give_back(batch, BatchStatus.UNSENT, reason=answer.reason)
            return
        if answer.kind is BatchAnswerKind.NOT_TAKEN and not batch.sent_before:
            await self._outcomes.give_back(batch, BatchStatus.REFUSED, reason=answer.reason)
            return
        await self._learn(batch, answer)

    async def _send_again(self, batch: DueBatch) -> None:
        """Send what waits, or what the provider does not know: the same lines, the same id."""
        permit = self._permit()
        if await self._waits_for_pause(batch):
            return
        async with self.database.transaction() as session:
            currency, lines = await repository.lines_of(session, batch)
            moved = bool(lines) and await repository.move_batch(
                session,
                batch.number,
                BatchStatus.SENDING,
                position=batch.position,
                at=self.moves.clock.now(),
                actor=ACTOR,
                wait_seconds=self._settings.batch_lease_seconds,
            )
        if not lines:
            await self._outcomes.move(batch, BatchStatus.CLOSED)
        elif moved:
            sending = batch.moved(BatchStatus.SENDING)
            await self._send(sending, order_of(batch.name.batch_id, currency, lines), permit)

    async def _ask(self, batch: DueBatch) -> BatchAnswer:
        return await self._heard(self.adapter.ask_batch(batch.name))

    async def _learn(self, batch: DueBatch, answer: BatchAnswer) -> None:
        """Take what the provider says of a batch that is not known to be under way."""
        match answer.kind:
            case BatchAnswerKind.CREATED if batch.status is BatchStatus.APPROVING:
                # Our approval was lost, or is not seen yet: it is given again.
                if await self._outcomes.is_cancelled(batch):
                    await self._withdraw(batch)
                elif not await self._waits_for_pause(batch):
                    await self._give_approval(batch)
            case BatchAnswerKind.CREATED:
                await self._outcomes.move(batch, BatchStatus.CREATED, answer=answer)
            case BatchAnswerKind.UNDER_WAY | BatchAnswerKind.COMPLETED:
                await self._outcomes.move(batch, BatchStatus.UNDER_WAY, answer=answer)
            case BatchAnswerKind.REFUSED:
                await self._outcomes.refuse(batch, answer)
            case BatchAnswerKind.PENDING if batch.status is BatchStatus.SENDING:
                await self._outcomes.move(
                    batch, BatchStatus.UNKNOWN, answer=answer, seconds=self._results_wait(batch)
                )
            case BatchAnswerKind.PENDING:
                await self._outcomes.wait(batch, self._results_wait(batch), answer=answer)
            case BatchAnswerKind.NOT_KNOWN if batch.status is not BatchStatus.SENDING:
                await self._not_known(batch)
            case (
                BatchAnswerKind.NOT_KNOWN
                | BatchAnswerKind.NO_ANSWER
                | BatchAnswerKind.NOT_TAKEN
                | BatchAnswerKind.NOT_SENT
            ):
                seconds = self._settings.unknown_inquiry.seconds(batch.inquiries)
                if batch.status is BatchStatus.SENDING:
                    await self._outcomes.move(
                        batch, BatchStatus.UNKNOWN, answer=answer, seconds=seconds
                    )
                else:
                    await self._outcomes.wait(batch, seconds, answer=answer)
            case _:
                assert_never(answer.kind)

    async def _not_known(self, batch: DueBatch) -> None:
        """Send it again where that is safe; leave it to persons, line by line, where it is not."""
        untrue_for = self._provider.not_known_untrue_seconds - batch.sent_age_seconds
        if untrue_for > 0:
            await self._outcomes.wait(batch, untrue_for, reason="not_known_may_be_untrue")
            return
        recognised_for = (
            self._provider.recognises_repeats_seconds - self._settings.batch_lease_seconds
        )
        may_be_sent_again = (
            batch.status is BatchStatus.UNKNOWN and batch.age_seconds < recognised_for
        )
        if await self._outcomes.is_cancelled(batch):
            await self._outcomes.close(batch, reason="activation_cancelled")
        elif may_be_sent_again:
            await self._send_again(batch)
        else:
            await self._outcomes.close(batch, reason="batch_not_known_to_provider")

    async def _approve(self, batch: DueBatch) -> None:
        if await self._outcomes.is_cancelled(batch):
            await self._outcomes.give_back(
                batch, BatchStatus.REFUSED, reason="activation_cancelled"
            )
            return
        if await self._waits_for_pause(batch):
            return
        if await self._outcomes.move(
            batch, BatchStatus.APPROVING, seconds=self._settings.batch_lease_seconds
        ):
            await self._give_approval(batch.moved(BatchStatus.APPROVING), is_first=True)

    async def _withdraw(self, batch: DueBatch) -> None:
        """Approve no more what was cancelled. The standard has no word to reject a batch by: its
        lines are released once no approval of before can take effect any more."""
        untrue_for = self._provider.not_known_untrue_seconds - batch.sent_age_seconds
        if untrue_for > 0:
            await self._outcomes.wait(batch, untrue_for, reason="activation_cancelled")
        else:
            await self._outcomes.give_back(
                batch, BatchStatus.REFUSED, reason="activation_cancelled"
            )

    async def _give_approval(self, batch: DueBatch, *, is_first: bool = False) -> None:
        if not await self._outcomes.note_approval(batch):
            if is_first:
                # It was cancelled in this moment, and no approval has ever left.
                await self._outcomes.give_back(
                    batch, BatchStatus.REFUSED, reason="activation_cancelled"
                )
            return
        answer = await self._heard(self.adapter.approve_batch(batch.name, self._permit()))
        match answer.kind:
            case BatchAnswerKind.UNDER_WAY | BatchAnswerKind.COMPLETED:
                await self._outcomes.move(batch, BatchStatus.UNDER_WAY, answer=answer)
            case BatchAnswerKind.REFUSED if not answer.passes:
                await self._check_refusal(batch, answer)
            case BatchAnswerKind.NOT_SENT:
                # Nothing is doubtful: it is given once the provider is spoken to again.
                seconds = self._settings.provider_pause.first_seconds
                await self._outcomes.wait(batch, seconds, answer=answer, is_new=True)
            case _:
                # It may have arrived: asked about, and given again where the batch still waits.
                await self._outcomes.wait(
                    batch, self._settings.unknown_inquiry.seconds(batch.inquiries), answer=answer
                )

    async def _check_refusal(self, batch: DueBatch, refused: BatchAnswer) -> None:
        """Believe that an approval is refused of a batch that still waits for one, alone.

        One that is paid is refused an approval as well, and its lines must not be paid elsewhere.
        """
        seen = await self._ask(batch)
        if seen.kind is BatchAnswerKind.CREATED:
            await self._outcomes.refuse(batch, refused)
        else:
            await self._learn(batch, seen)

    async def _read(self, batch: DueBatch) -> None:
        """Read what results there are; close it once the provider says that these are all."""
        answer = await self._ask(batch)
        reading = batch
        for kind in ResultKind:
            read = await self._reading.read_kind(reading, kind)
            if read is None:
                await self._outcomes.wait(
                    batch, self._results_wait(batch), reason="results_unreadable"
                )
                return
            reading = read
        found = reading.read_count > batch.read_count
        if answer.kind is not BatchAnswerKind.COMPLETED:
            by_hand = self._provider.cash_list is not None
            seconds = _BY_HAND_SECONDS if by_hand else self._results_wait(batch, found=found)
            await self._outcomes.wait(batch, seconds, is_new=found)
        elif not await self._outcomes.has_open_lines(batch):
            await self._outcomes.move(batch, BatchStatus.CLOSED)
        elif batch.readings + 1 < self._settings.batch_readings:
            await self._outcomes.move(
                batch, BatchStatus.READ, seconds=self._settings.batch_results_longest_seconds
            )
        else:
            await self._outcomes.close(batch, reason="no_result_in_batch")

    async def _read_again(self, batch: DueBatch) -> None:
        """Once more from the beginning: what was not among the results may be there by now."""
        async with self.database.transaction() as session:
            await repository.read_again(
                session,
                batch.number,
                position=batch.position,
                at=self.moves.clock.now(),
                actor=ACTOR,
            )

    def _is_too_large(self, order: BatchOrder) -> bool:
        most_minor = self._provider.batch_maximum_minor
        return most_minor is not None and order.total_minor > most_minor

    async def _waits_for_pause(self, batch: DueBatch) -> bool:
        """Whether a line of it is paused: then the whole batch is looked at again later."""
        paused = await self._outcomes.is_paused(batch)
        if paused:
            await self._outcomes.wait(batch, self._results_wait(batch), reason="paused")
        return paused

    async def _heard(self, asking: Awaitable[BatchAnswer]) -> BatchAnswer:
        try:
            answer = await asking
        except Exception as error:
            log.error("adapter_failed", provider=self.adapter.code, error=told(error))
            answer = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="adapter_failed")
        if answer.kind is not BatchAnswerKind.NOT_SENT:
            self.pausing.note_reply(unwell=answer.provider_unwell)
            failed = answer.kind is BatchAnswerKind.NO_ANSWER or answer.provider_unwell
            self._noting.note_reply(failure=(answer.reason or "no_answer") if failed else None)
            if answer.kind is BatchAnswerKind.NOT_TAKEN or answer.rest_seconds is not None:
                self._refusals += 1
                self.pausing.rest(answer.rest_seconds)
        return answer

    def _results_wait(self, batch: DueBatch, *, found: bool = False) -> float:
        return self._settings.batch_results.seconds(0 if found else batch.inquiries)

    def _permit(self) -> LeasePermit:
        may_take_seconds = (
            self._settings.batch_lease_seconds - self._settings.provider_timeout_seconds
        )
        return LeasePermit(
            send_before=self._now() + may_take_seconds,
            now=self._now,
            pausing=self.pausing,
            stopping=self.stopping,
            pauses=self._pauses,
            pauses_before=self._pauses.count,
        )

    async def provider_number(self) -> int:
        """The provider's number in the database."""
        return await self._directory.number_of(self.adapter.code)


def _nobody_waits() -> None:
    """Before loops are made that do what is due."""


async def _nothing_to_record(outcomes: Sequence[None]) -> None:
    """Each job records what it brings by itself."""
