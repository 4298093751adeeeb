"""Reading stored callbacks, in sets: what they say is stored among the answers, and applied."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from services.payments.answers.recording import Recording
from services.payments.answers.repository import Heard, Waiting, store_answers
from services.payments.batches.repository import ask_now
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health.noting import Noting
from services.payments.providers.protocol import Adapter, Told, ToldOfBatch
from services.payments.statements import AnyRow
from services.payments.webhooks.repository import (
    WebhookMove,
    instructions_here,
    move_webhooks,
    pick_received,
)
from services.payments.webhooks.states import WebhookStatus
from shared.database import Database, may_pass
from shared.errors import told
from shared.personal_data import CannotDecrypt, Cipher, KeyMissing

log = structlog.get_logger()

ACTOR = "callback"

_UNMATCHED = "no such instruction at this provider"


class Applying:
    """Takes what received callbacks say, a batch in a transaction, and applies it.

    Where a batch fails, each of its callbacks gets a transaction of its own: the one that cannot
    be taken is set aside as blocked, with the reason, and tried again later; the others go on.
    From then on it is an answer like any other: what cannot be applied waits among the answers.
    """

    def __init__(
        self,
        *,
        database: Database,
        adapters: Mapping[str, Adapter],
        directory: ProviderDirectory,
        recording: Recording,
        cipher: Cipher,
        batch_size: int,
        notings: Mapping[str, Noting],
    ) -> None:
        self._database = database
        self._adapters = adapters
        self._directory = directory
        self._recording = recording
        self._cipher = cipher
        self._batch_size = batch_size
        self._notings = notings
        self._one_by_one = 0

    async def step(self) -> int:
        """Take one batch; returns how many callbacks it held."""
        picked: list[UUID] = []
        try:
            taken = await self._take(picked, size=1 if self._one_by_one else self._batch_size)
        except Exception as error:
            if may_pass(error) or not picked:
                raise
            if len(picked) > 1:
                self._one_by_one = len(picked)
                return len(picked)
            await self._set_aside(picked[0], error)
        else:
            await self._recording.apply(taken)
        self._one_by_one = max(0, self._one_by_one - 1) if picked else 0
        return len(picked)

    async def _take(self, picked: list[UUID], *, size: int) -> list[Waiting]:
        """Store what callbacks say; the answers, once that is committed."""
        numbers = await self._directory.numbers()
        readers = {numbers[code]: adapter for code, adapter in self._adapters.items()}
        notings = {numbers[code]: noting for code, noting in self._notings.items()}
        async with self._database.transaction() as session:
            rows = await pick_received(session, size=size)
            picked += [row.id for row in rows]
            if not rows:
                return []
            heard: dict[UUID, Heard] = {}
            moves: list[WebhookMove] = []
            batches: dict[int, list[str]] = {}
            for row in rows:
                if noting := notings.get(row.provider_number):
                    noting.note_word()
                read = self._read(row, readers.get(row.provider_number))
                if isinstance(read, WebhookMove):
                    moves.append(read)
                elif isinstance(read, ToldOfBatch):
                    # What it says is asked for: nothing of a batch is settled by its word alone.
                    batches.setdefault(row.provider_number, []).append(read.provider_batch_id)
                    moves.append(WebhookMove(row.id, WebhookStatus.APPLIED))
                else:
                    heard[row.id] = Heard(read.instruction_id, row.provider_number, read.answer)
            here = await instructions_here(
                session, {(about.instruction_id, about.provider_number) for about in heard.values()}
            )
            taken: list[Heard] = []
            for webhook_id, about in heard.items():
                matches = (about.instruction_id, about.provider_number) in here
                if matches:
                    taken.append(about)
                moves.append(
                    WebhookMove(
                        webhook_id,
                        WebhookStatus.APPLIED if matches else WebhookStatus.UNMATCHED,
                        reason=None if matches else _UNMATCHED,
                        instruction_id=about.instruction_id,
                    )
                )
            for provider_number, names in sorted(batches.items()):
                await ask_now(session, provider_number, names)
            await move_webhooks(session, moves)
            return await store_answers(session, taken, actor=ACTOR) if taken else []

    def _read(self, row: AnyRow, adapter: Adapter | None) -> Told | ToldOfBatch | WebhookMove:
        """What a callback says, or where it goes because that cannot be read."""
        if adapter is None:
            return WebhookMove(row.id, WebhookStatus.BLOCKED, "its provider is not configured")
        try:
            body = self._cipher.decrypt(row.body_sealed, bound_to=row.webhook_id.encode())
        except KeyMissing:
            return WebhookMove(
                row.id, WebhookStatus.BLOCKED, "its key version is not in WEBHOOK_KEYS"
            )
        except CannotDecrypt:
            return WebhookMove(row.id, WebhookStatus.MALFORMED, "altered since it was stored")
        try:
            said = adapter.read_callback(body)
        except Exception as error:
            reason = told(error)
            log.error("adapter_failed", provider=adapter.code, webhook=str(row.id), error=reason)
            return WebhookMove(row.id, WebhookStatus.BLOCKED, reason)
        return said or WebhookMove(
            row.id, WebhookStatus.MALFORMED, "not a callback about an instruction"
        )

    async def _set_aside(self, webhook_id: UUID, error: Exception) -> None:
        reason = told(error)
        log.error("callback_blocked", webhook=str(webhook_id), error=reason)
        async with self._database.transaction() as session:
            await move_webhooks(session, [WebhookMove(webhook_id, WebhookStatus.BLOCKED, reason)])
