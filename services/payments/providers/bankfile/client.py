"""One bank that takes files, in folders that it and we can reach."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.payments.providers.accounts import Accounts
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.bankfile.inbox import Inbox
from services.payments.providers.bankfile.initiation import (
    Transfer,
    fits,
    initiation,
)
from services.payments.providers.bankfile.outbox import Differs, MayHaveLeft, NotPermitted, Outbox
from services.payments.providers.bankfile.references import reference_of
from services.payments.providers.batches import (
    BatchAnswer,
    BatchAnswerKind,
    BatchName,
    BatchOrder,
    ResultKind,
    ResultsPage,
)
from services.payments.providers.files import FileFault, FileFaultKind, FileNews
from services.payments.providers.protocol import Capability, Permit, Told
from services.payments.settings import ProviderSettings, WorkerSettings

log = structlog.get_logger()

Done = TypeVar("Done")

_AWAY = BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="folders_away", provider_unwell=True)


class BankFileAdapter:
    """A batch is a file, and what the bank says of it comes in as files."""

    capabilities = frozenset({Capability.FILE})

    def __init__(self, provider: ProviderSettings, settings: WorkerSettings) -> None:
        self.code = provider.code
        self._bank = provider.files
        self._accounts = Accounts(settings)
        key = settings.provider_signing_keys[provider.code].get_secret_value()
        self._outbox = Outbox(
            self._bank, Ed25519PrivateKey.from_private_bytes(base64.b64decode(key))
        )
        self._inbox = Inbox(self._bank, self._outbox)
        # What the inbox remembers belongs to whoever asks it: one at a time.
        self._reading = asyncio.Lock()
        self._is_away = False
        self._differing: dict[str, FileNews] = {}

    async def close(self) -> None:
        """Nothing is held open."""

    async def send_batch(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        """Have the file of a batch leave, once, however often it is asked for."""
        return await asyncio.to_thread(self._send, order, permit)

    async def approve_batch(self, name: BatchName, permit: Permit) -> BatchAnswer:
        """There is nothing to approve: what the bank has, it pays."""
        return BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="no_approval_by_file")

    async def ask_batch(self, name: BatchName) -> BatchAnswer:
        """What the files that came in say; where none did, nothing is known.

        A file is not known to the bank only by our own word: nothing says that it ever left.
        """
        message_id = reference_of(name.batch_id)

        def ask() -> BatchAnswer:
            outcome = self._inbox.outcome_of(message_id)
            if outcome is not None:
                return outcome.answer()
            if self._outbox.may_have_left(message_id):
                return BatchAnswer(
                    BatchAnswerKind.NO_ANSWER, reason="no_report_yet", provider_batch_id=message_id
                )
            return BatchAnswer(BatchAnswerKind.NOT_KNOWN, reason="file_never_left")

        answer = await self._read(ask)
        return _AWAY if answer is None else answer

    async def read_results(
        self, name: BatchName, kind: ResultKind, *, offset: int, limit: int
    ) -> ResultsPage | None:
        """A page of what the files that came in say of a batch's lines."""

        def read() -> ResultsPage:
            outcome = self._inbox.outcome_of(reference_of(name.batch_id))
            results = [] if outcome is None else outcome.results()
            page = [result for result in results if result.kind is kind][offset : offset + limit]
            return ResultsPage(page, count=len(page))

        return await self._read(read)

    async def take_files(self, *, limit: int) -> Sequence[FileNews]:
        """What came in, and what could not leave."""
        taken = await self._read(lambda: self._inbox.take(limit=limit))
        return [*self._differing.values(), *(taken or [])]

    async def end_file(self, news: FileNews) -> None:
        """A file whose news is recorded leaves the incoming directory."""
        if self._differing.pop(news.key, None) is None:
            await self._read(lambda: self._inbox.end(news))

    def read_callback(self, body: bytes) -> Told | None:
        """A bank that answers by files calls nobody back."""
        return None

    async def _read(self, do: Callable[[], Done]) -> Done | None:
        """What comes of it, in a thread; None: the folders are away, or cannot be read."""
        async with self._reading:
            try:
                done = await asyncio.to_thread(do)
            except OSError as error:
                if not self._is_away:
                    log.error("bank_folders_away", provider=self.code, error=type(error).__name__)
                self._is_away = True
                return None
            self._is_away = False
            return done

    def _send(self, order: BatchOrder, permit: Permit) -> BatchAnswer:
        transfers, left_out = self._opened(order)
        if not transfers:
            return BatchAnswer(
                BatchAnswerKind.NOT_SENT, reason="no_account_readable", left_out=left_out
            )
        content = initiation(order.batch_id, transfers, currency=order.currency, bank=self._bank)
        lines = [transfer.instruction_id for transfer in transfers]
        answer = self._sent(reference_of(order.batch_id), content, lines, permit)
        return replace(answer, left_out=left_out)

    def _sent(
        self, message_id: str, content: bytes, lines: Sequence[UUID], permit: Permit
    ) -> BatchAnswer:
        try:
            self._outbox.send(message_id, content, lines, permit=permit)
        except NotPermitted as refusal:
            return BatchAnswer(BatchAnswerKind.NOT_SENT, reason=str(refusal))
        except Differs:
            fault = FileFault(FileFaultKind.DIFFERS, f"sent/{message_id}.json", "file_differs")
            self._differing[message_id] = FileNews(message_id, fault=fault)
            return BatchAnswer(BatchAnswerKind.NO_ANSWER, reason="file_differs")
        except MayHaveLeft:
            return _AWAY
        except OSError as error:
            log.error("bank_file_not_written", provider=self.code, error=type(error).__name__)
            return BatchAnswer(BatchAnswerKind.NOT_SENT, reason="folders_away")
        return BatchAnswer(BatchAnswerKind.PENDING, provider_batch_id=message_id)

    def _opened(self, order: BatchOrder) -> tuple[list[Transfer], dict[UUID, Answer]]:
        """The lines with their accounts, and what it means for those that cannot be written."""
        transfers: list[Transfer] = []
        left_out: dict[UUID, Answer] = {}
        for line in order.lines:
            account = self._accounts.open(line)
            if isinstance(account, Answer):
                left_out[line.instruction_id] = account
            elif fits(account):
                transfers.append(Transfer(line.instruction_id, line.money, account))
            else:
                rejected = Answer(AnswerKind.REJECTED, reason="account_not_of_standard")
                left_out[line.instruction_id] = rejected
        return transfers, left_out
