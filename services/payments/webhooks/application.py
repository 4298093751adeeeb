"""Applying stored callbacks to the instructions that they speak of, in sets."""

from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.instructions.moves import Waits
from services.payments.instructions.recording import Heard, Recorded, record_answers
from services.payments.providers import gsma
from services.payments.webhooks.tables import WebhookStatus
from shared.clock import Clock
from shared.database import Database, may_pass
from shared.errors import innermost_place
from shared.personal_data import CannotDecrypt, Cipher, KeyMissing

log = structlog.get_logger()

ACTOR = "callback"

_PICK = text(
    """
    SELECT id, provider_number, webhook_id, body_sealed
    FROM payments.webhook
    WHERE status = 'received'
    ORDER BY id
    LIMIT :size
    FOR NO KEY UPDATE SKIP LOCKED
    """
)

_MARK = text(
    """
    UPDATE payments.webhook
    SET status = CAST(given.status AS payments.webhook_status),
        instruction_id = given.instruction_id,
        reason = given.reason,
        worked_at = clock_timestamp()
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:statuses AS text[]),
        CAST(:instruction_ids AS uuid[]), CAST(:reasons AS text[])
    ) AS given (id, status, instruction_id, reason)
    WHERE webhook.id = given.id
    """
)

_MATCH_AGAIN = text(
    """
    UPDATE payments.webhook SET status = 'received'
    FROM payments.instruction
    WHERE webhook.status = 'unmatched'
      AND instruction.id = webhook.instruction_id
      AND instruction.provider_number = webhook.provider_number
    RETURNING true
    """
)

_UNBLOCK = text(
    """
    UPDATE payments.webhook SET status = 'received'
    WHERE status = 'blocked'
      AND worked_at < clock_timestamp() - make_interval(secs => :seconds)
    RETURNING true
    """
)

_BLOCKED_SECONDS = 30.0

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
        self, *, database: Database, clock: Clock, cipher: Cipher, waits: Waits, batch_size: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._cipher = cipher
        self._waits = waits
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
        async with self._database.transaction() as session:
            rows = (await session.execute(_PICK, {"size": size})).all()
            picked += [row.id for row in rows]
            if not rows:
                return
            heard: dict[UUID, Heard] = {}
            marks: dict[UUID, tuple[WebhookStatus, str | None]] = {}
            for row in rows:
                try:
                    told = gsma.callback(self._open(row))
                except KeyMissing:
                    marks[row.id] = WebhookStatus.BLOCKED, "its key version is not in WEBHOOK_KEYS"
                    continue
                except CannotDecrypt:
                    marks[row.id] = WebhookStatus.MALFORMED, "altered since it was stored"
                    continue
                if told is None:
                    marks[row.id] = WebhookStatus.MALFORMED, "not a callback about an instruction"
                    continue
                heard[row.id] = Heard(told[0], row.provider_number, told[1])
            recorded = await record_answers(
                session,
                list(heard.values()),
                actor=ACTOR,
                at=self._clock.now(),
                waits=self._waits,
            )
            marks |= {
                webhook_id: _RESULTS[result]
                for webhook_id, result in zip(heard, recorded, strict=True)
            }
            await _mark(session, marks, heard)

    async def _set_aside(self, webhook_id: UUID, error: Exception) -> None:
        kind = f"{type(error).__name__} at {innermost_place(error)}"
        log.error("callback_blocked", webhook=str(webhook_id), error=kind)
        async with self._database.transaction() as session:
            await _mark(session, {webhook_id: (WebhookStatus.BLOCKED, kind)}, {})

    async def match_again(self) -> int:
        """Take up again what matched nothing and now does, and what could not be worked."""
        async with self._database.transaction() as session:
            matched = (await session.execute(_MATCH_AGAIN)).all()
            unblocked = (await session.execute(_UNBLOCK, {"seconds": _BLOCKED_SECONDS})).all()
        return len(matched) + len(unblocked)

    def _open(self, row: Row[tuple[UUID, int, str, bytes]]) -> bytes:
        return self._cipher.decrypt(row.body_sealed, bound_to=row.webhook_id.encode())


async def _mark(
    session: AsyncSession,
    marks: dict[UUID, tuple[WebhookStatus, str | None]],
    heard: dict[UUID, Heard],
) -> None:
    await session.execute(
        _MARK,
        {
            "ids": list(marks),
            "statuses": [status.value for status, _ in marks.values()],
            "reasons": [reason for _, reason in marks.values()],
            "instruction_ids": [
                heard[one].instruction_id if one in heard else None for one in marks
            ],
        },
    )
