"""Sending ready instructions to one provider: a pipeline that keeps its connections busy.

Claim, commit, send, record, all in sets, and all at once: while one set is on its way the next
is claimed and the answers of the one before are recorded. Nothing leaves before the commit that
says that it is about to. Whoever dies here leaves instructions in ``sending`` with a lease.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.payments.answers.recording import Heard
from services.payments.dispatch.lane import Lane
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.protocol import Order
from services.payments.settings import Settings

ACTOR = "dispatch"

_STEP_SECONDS = 4.0
"""A step stops claiming after so long, so that a worker that is told to stop does."""


@dataclass(frozen=True, slots=True)
class _Claimed:
    order: Order
    send_before: float
    """``time.monotonic()``; later, the lease might end before the answer is in."""


class Sending:
    """The sending side of one provider."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._settings = settings

    async def step(self) -> int:
        """Send what is ready, for a few seconds at most; returns how many were claimed."""
        if self._lane.pausing.paused:
            return 0
        first = await self._claim()
        if not first:
            return 0
        provider_number = await self._lane.provider_number()
        claimed: asyncio.Queue[_Claimed | None] = asyncio.Queue(self._settings.dispatch_claim_size)
        answered: asyncio.Queue[Heard | None] = asyncio.Queue(
            self._settings.dispatch_outcomes_size * 4
        )
        async with asyncio.TaskGroup() as group:
            recorder = group.create_task(self._record(answered))
            senders = [
                group.create_task(self._send(claimed, answered, provider_number))
                for _ in range(self._settings.dispatch_concurrency)
            ]
            count = await self._feed(claimed, first)
            await asyncio.gather(*senders)
            await answered.put(None)
            await recorder
        return count

    async def _claim(self) -> list[_Claimed]:
        taken_at = time.monotonic()
        orders = await self._lane.claim(size=self._settings.dispatch_claim_size, actor=ACTOR)
        may_take = self._settings.dispatch_lease_seconds - self._settings.provider_timeout_seconds
        send_before = taken_at + may_take
        return [_Claimed(order, send_before) for order in orders]

    async def _feed(
        self, claimed: asyncio.Queue[_Claimed | None], batch: Sequence[_Claimed]
    ) -> int:
        stop_at = time.monotonic() + _STEP_SECONDS
        count = 0
        while batch:
            count += len(batch)
            for claim in batch:
                await claimed.put(claim)
            if self._lane.pausing.paused or time.monotonic() > stop_at:
                break
            batch = await self._claim()
        for _ in range(self._settings.dispatch_concurrency):
            await claimed.put(None)
        return count

    async def _send(
        self,
        claimed: asyncio.Queue[_Claimed | None],
        answered: asyncio.Queue[Heard | None],
        provider_number: int,
    ) -> None:
        while (claim := await claimed.get()) is not None:
            order = claim.order
            if self._lane.pausing.paused or time.monotonic() > claim.send_before:
                answer = Answer(AnswerKind.NO_ANSWER, reason="not_sent_in_time")
            else:
                answer = await self._lane.adapter.send(order)
                self._lane.pausing.note(answer)
            await answered.put(Heard(order.instruction_id, provider_number, answer))

    async def _record(self, answered: asyncio.Queue[Heard | None]) -> None:
        settings = self._settings
        more = True
        while more:
            batch: list[Heard] = []
            heard = await answered.get()
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.dispatch_outcomes_wait_seconds):
                    while heard is not None:
                        batch.append(heard)
                        if len(batch) >= settings.dispatch_outcomes_size:
                            break
                        heard = await answered.get()
            more = heard is not None
            await self._lane.record(batch, actor=ACTOR)
