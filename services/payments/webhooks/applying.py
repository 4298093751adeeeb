"""Applying stored callbacks to the instructions that they speak of, in sets."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from services.payments.answers.recording import Heard, Recorded, Recording
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.protocol import Adapter, Told
from services.payments.statements import AnyRow
from services.payments.webhooks.repository import WebhookMove, move_webhooks, pick_received
from services.payments.webhooks.states import WebhookStatus
from shared.database import Database, may_pass
from shared.errors import told
from shared.personal_data import CannotDecrypt, Cipher, KeyMissing

log = structlog.get_logger()

ACTOR = "callback"

_RESULTS = {
    Recorded.APPLIED: (WebhookStatus.APPLIED, None),
    Recorded.UNMATCHED: (WebhookStatus.UNMATCHED, "no such instruction at this provider"),
    Recorded.BLOCKED: (WebhookStatus.BLOCKED, "an account would be overdrawn"),
}


class Applying:
    """Applies received callbacks, a batch in a transaction.

    Where a batch fails, each of its callbacks gets a transaction of its own: the one that cannot
    be applied is set aside as blocked, with the reason, and tried again later; the others go on.
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
    ) -> None:
        self._database = database
        self._adapters = adapters
        self._directory = directory
        self._recording = recording
        self._cipher = cipher
        self._batch_size = batch_size
        self._one_by_one = 0

    async def step(self) -> int:
        """Apply one batch; returns how many callbacks it held."""
        picked: list[UUID] = []
        try:
            await self._apply(picked, size=1 if self._one_by_one else self._batch_size)
        except Exception as error:
            if may_pass(error) or not picked:
                raise
            if len(picked) > 1:
                self._one_by_one = len(picked)
                return len(picked)
            await self._set_aside(picked[0], error)
        self._one_by_one = max(0, self._one_by_one - 1) if picked else 0
        return len(picked)

    async def _apply(self, picked: list[UUID], *, size: int) -> None:
        numbers = await self._directory.numbers()
        readers = {numbers[code]: adapter for code, adapter in self._adapters.items()}
        async with self._database.transaction() as session:
            rows = await pick_received(session, size=size)
            picked += [row.id for row in rows]
            if not rows:
                return
            heard: dict[UUID, Heard] = {}
            moves: list[WebhookMove] = []
            for row in rows:
                read = self._read(row, readers.get(row.provider_number))
                if isinstance(read, WebhookMove):
                    moves.append(read)
                else:
                    heard[row.id] = Heard(read.instruction_id, row.provider_number, read.answer)
            recorded = await self._recording.record(session, list(heard.values()), actor=ACTOR)
            for (webhook_id, about), result in zip(heard.items(), recorded, strict=True):
                status, reason = _RESULTS[result]
                moves.append(
                    WebhookMove(
                        webhook_id, status, reason=reason, instruction_id=about.instruction_id
                    )
                )
            await move_webhooks(session, moves)

    def _read(self, row: AnyRow, adapter: Adapter | None) -> Told | WebhookMove:
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
        return adapter.read_callback(body) or WebhookMove(
            row.id, WebhookStatus.MALFORMED, "not a callback about an instruction"
        )

    async def _set_aside(self, webhook_id: UUID, error: Exception) -> None:
        reason = told(error)
        log.error("callback_blocked", webhook=str(webhook_id), error=reason)
        async with self._database.transaction() as session:
            await move_webhooks(session, [WebhookMove(webhook_id, WebhookStatus.BLOCKED, reason)])
