"""What may have gone by another provider before commits were lost: asked about there first.

In a later epoch than a payment was announced in, its row does not say by whom it went: that may be
among what was lost. The same id names it at every provider, so each that may stand in for the one
of its row is asked. One that knows it has it from then on. Only where all of them say that they do
not know it, and that can be true by now, is it asked about where its row says that it is. Where one
of them may have forgotten it, or takes batches, files or lists, so that nobody can ask it about one
payment, only two persons have it sent again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.payments.dispatch.lane import Lane
from services.payments.dispatch.repository import Due
from services.payments.instructions.states import Status
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.directory import ProviderDirectory
from services.payments.routing.elsewhere.repository import (
    Elsewhere,
    keep_asked,
    pick_perhaps_elsewhere,
    put_off,
    tell_why,
)
from services.payments.settings import Settings
from shared.clock import Clock
from shared.database import Database

_KNOWS_IT = (AnswerKind.SETTLED, AnswerKind.PENDING, AnswerKind.REJECTED)


class AskingElsewhere:
    """Asks the others of a provider's group about what its rows say is ready there."""

    def __init__(
        self,
        *,
        provider: str,
        lanes: Mapping[str, Lane],
        database: Database,
        directory: ProviderDirectory,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._database = database
        self._directory = directory
        self._clock = clock
        self._others = settings.group_of(provider)
        self._lanes = lanes
        self._settings = settings
        configured = {each.code: each for each in settings.providers}
        # Of what is not configured any more, nobody says anything: what it may have had waits.
        self._unasked = {code for code in self._others if code in configured} - set(lanes)
        self._remembered_seconds = min(
            (
                configured[code].recognises_repeats_seconds
                for code in self._others
                if code in configured
            ),
            default=0,
        )
        self._trusted_after_seconds = settings.dispatch_lease_seconds + max(
            (
                configured[code].not_known_untrue_seconds
                for code in self._others
                if code in configured
            ),
            default=0,
        )

    async def step(self) -> int:
        """Ask about one set; returns about how many all was heard."""
        provider_number = await self._directory.number_of(self._provider)
        async with self._database.transaction() as session:
            await tell_why(
                session, provider_number=provider_number, size=self._settings.inquiry_size
            )
        others = [self._lanes[code] for code in self._others if code in self._lanes]
        if any(lane.pausing.paused for lane in others):
            return 0
        async with self._database.reading() as session:
            picked = await pick_perhaps_elsewhere(
                session,
                provider_number=provider_number,
                trusted_after_seconds=self._trusted_after_seconds,
                size=self._settings.inquiry_size,
            )
        if not picked:
            return 0
        heard: dict[UUID, Elsewhere] = {}
        for instruction_id, answers in zip(
            picked,
            await asyncio.gather(*(_ask(others, each) for each in picked)),
            strict=True,
        ):
            knowing = [code for code, answer in answers.items() if answer.kind in _KNOWS_IT]
            if knowing:
                number = await self._lanes[knowing[0]].provider_number()
                heard[instruction_id] = Elsewhere(number, is_certain=True)
            elif self._all_said(answers, AnswerKind.NOT_KNOWN):
                remembered = not self._unasked and picked[instruction_id] < self._remembered_seconds
                heard[instruction_id] = Elsewhere(None, is_certain=remembered)
        async with self._database.transaction() as session:
            await put_off(
                session,
                [each for each in picked if each not in heard],
                seconds=self._settings.unknown_inquiry_seconds,
            )
            return await keep_asked(
                session,
                heard,
                provider_number=provider_number,
                at=self._clock.now(),
            )

    def _all_said(self, answers: Mapping[str, Answer], kind: AnswerKind) -> bool:
        """Whether each that may have had it, and can be asked about one payment, said so."""
        return all(
            code in answers and answers[code].kind is kind
            for code in self._others
            if code not in self._unasked
        )


async def _ask(lanes: Sequence[Lane], instruction_id: UUID) -> dict[str, Answer]:
    due = Due(instruction_id, Status.READY, None, position=0, reason=None)
    answers = await asyncio.gather(*(lane.ask(due) for lane in lanes))
    return {lane.adapter.code: answer for lane, answer in zip(lanes, answers, strict=True)}
