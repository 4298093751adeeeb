"""Asking one provider about payments that have their end here: a few at a time, behind all else."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.payments.alarms.repository import NewAlarm, clear_alarms_of, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.repository import Heard
from services.payments.dispatch.lane import Lane
from services.payments.providers.answers import Answer
from services.payments.settings import Settings
from services.payments.sweeps import repository
from services.payments.sweeps.comparing import UNANSWERED, Comparison, Ended, compare
from services.payments.sweeps.tables import Finding

ACTOR = "sweep"
_TIMES = 3
"""An answer is asked for so often before it counts as none."""


class Sweeping:
    """The sweeps of one provider."""

    def __init__(self, lane: Lane, settings: Settings) -> None:
        self._lane = lane
        self._settings = settings
        self._configured = [provider.code for provider in settings.providers]

    async def step(self) -> int:
        """Ask about a set of payments; 0 while the provider is paused or has other work."""
        if self._lane.pausing.paused:
            return 0
        most = await self._lane.pace.most_ahead()
        if most == 0:
            return 0
        size = self._settings.sweep_size if most is None else min(self._settings.sweep_size, most)
        number = await self._lane.provider_number()
        async with self._lane.database.transaction() as session:
            if await repository.is_busy(session, provider_number=number):
                return 0
            picked = await repository.pick_items(
                session,
                provider_number=number,
                size=size,
                again_seconds=self._settings.sweep_again_seconds,
            )
            if not picked:
                at = self._lane.moves.clock.now()
                finished = await repository.finish_sweeps(
                    session, configured=self._configured, at=at
                )
                return len(finished)
        answers = await self._ask([ended for _, _, ended in picked])
        news: list[Heard] = []
        findings: dict[tuple[UUID, UUID], Comparison] = {}
        for (sweep_id, asked, ended), answer in zip(picked, answers, strict=True):
            comparison = compare(ended, answer) if answer else UNANSWERED
            if comparison is UNANSWERED and asked < _TIMES:
                continue
            findings[sweep_id, ended.instruction_id] = comparison
            if answer and comparison.is_news:
                news.append(Heard(ended.instruction_id, number, answer))
        # What was heard comes first: where this ends in between, it is asked for again.
        await self._lane.take(news, actor=ACTOR)
        await self._keep(findings)
        return len(picked)

    async def _ask(self, ended: Sequence[Ended]) -> list[Answer | None]:
        places = asyncio.Semaphore(self._settings.sweep_concurrency)

        async def answer_to(payment: Ended) -> Answer | None:
            async with places:
                if self._lane.pausing.paused:
                    return None
                answer = await self._lane.adapter.inquire(
                    payment.instruction_id, payment.server_correlation_id
                )
                self._lane.note(answer)
                return answer

        return list(await asyncio.gather(*(answer_to(payment) for payment in ended)))

    async def _keep(self, findings: dict[tuple[UUID, UUID], Comparison]) -> None:
        at = self._lane.moves.clock.now()
        agreeing = [
            instruction_id
            for (_, instruction_id), comparison in findings.items()
            if comparison.finding is Finding.AGREES
        ]
        async with self._lane.database.transaction() as session:
            await repository.keep_findings(session, findings)
            await clear_alarms_of(session, agreeing, AlarmKind.SETTLED_NOT_BOOKED, at=at)
            await raise_alarms(
                session,
                [
                    NewAlarm(
                        instruction_id,
                        comparison.alarm,
                        f"{comparison.detail} Ask the provider; where it was never paid, record it "
                        "as returned, with POST /v1/resolutions.",
                    )
                    for (_, instruction_id), comparison in findings.items()
                    if comparison.alarm
                ],
                at=at,
            )
