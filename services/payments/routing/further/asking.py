"""Further attempts that may be among the commits that were lost: asked about by their ids.

Two persons have a rejected payment tried anew, under an id of its own. Where that is lost, the row
that is left knows nothing of it: the household may be paid by the lost attempt, and again by what
is announced since, or by the row where its provider forgets what it rejected. So before either
leaves, every provider that may have had a further attempt is asked about each that there can be.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.payments.alarms.repository import NewAlarm, raise_alarms
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.recording import Recording
from services.payments.answers.repository import Heard
from services.payments.dispatch.lane import Lane
from services.payments.dispatch.repository import Due
from services.payments.instructions.states import Status
from services.payments.ledger.repository import is_overdraft
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.directory import ProviderDirectory
from services.payments.routing.further.repository import (
    FoundAttempt,
    Tried,
    add_found,
    keep_asked,
    pick_perhaps_tried,
    put_off,
)
from services.payments.settings import Settings
from shared.clock import Clock
from shared.database import Database
from shared.ids import instruction_id

ACTOR = "asking-further"

_ENDED = (AnswerKind.SETTLED, AnswerKind.REJECTED)
_CANNOT_POST = (
    "A further attempt at it was lost, and its provider says how that ended; the fund is too low "
    "to record it. Top it up; it is tried again by itself."
)
_TRIED_ANEW = Answer(AnswerKind.REJECTED, reason="tried_anew")


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of asking about the further attempts of one payment."""

    found: Sequence[FoundAttempt]
    is_whole: bool
    """Each was told of, and none of them is under way."""
    is_certain: bool
    """Whoever may have had one can be asked, and would still know it."""


class AskingFurther:
    """Asks about further attempts of what is waited for."""

    def __init__(
        self,
        *,
        lanes: Mapping[str, Lane],
        database: Database,
        directory: ProviderDirectory,
        recording: Recording,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._lanes = lanes
        self._database = database
        self._directory = directory
        self._recording = recording
        self._settings = settings
        self._clock = clock
        self._remembered_seconds = {
            provider.code: provider.recognises_repeats_seconds for provider in settings.providers
        }
        self._trusted_after_seconds = settings.dispatch_lease_seconds + max(
            (provider.not_known_untrue_seconds for provider in settings.providers), default=0
        )

    async def step(self) -> int:
        """Ask about one set; returns of how many all was heard."""
        numbers = await self._directory.numbers()
        codes = {number: code for code, number in numbers.items()}
        async with self._database.reading() as session:
            picked = await pick_perhaps_tried(
                session,
                trusted_after_seconds=self._trusted_after_seconds,
                size=self._settings.inquiry_size,
            )
        if not picked:
            return 0
        heard = dict(
            zip(
                picked,
                await asyncio.gather(
                    *(self._ask(each, codes.get(each.provider_number)) for each in picked)
                ),
                strict=True,
            )
        )
        at = self._clock.now()
        whole = {}
        for each, said in heard.items():
            if await self._take(each, said) and said.is_whole:
                whole[each] = said
        async with self._database.transaction() as session:
            await keep_asked(
                session,
                [(each.instruction_id, said.is_certain) for each, said in whole.items()],
                at=at,
            )
            await put_off(
                session,
                [each.instruction_id for each in picked if each not in whole],
                seconds=self._settings.unknown_inquiry_seconds,
            )
        return len(whole)

    async def _take(self, tried: Tried, said: _Heard) -> bool:
        """Record what was found, before anything is let go by it; whether it could be.

        Twice is as once.
        """
        if not said.found:
            return True
        at = self._clock.now()
        try:
            async with self._database.transaction() as session:
                for found in said.found:
                    await add_found(session, found, actor=ACTOR, at=at)
        except IntegrityError as error:
            if not is_overdraft(error):
                raise
            async with self._database.transaction() as session:
                alarm = NewAlarm(tried.instruction_id, AlarmKind.CANNOT_POST, _CANNOT_POST)
                await raise_alarms(session, [alarm], at=at)
            return False
        answers = [
            Heard(each.instruction_id, each.provider_number, each.answer)
            for each in said.found
            if each.answer.kind is AnswerKind.SETTLED
        ]
        # A further attempt follows a rejection alone.
        if tried.is_unknown:
            answers.append(Heard(tried.instruction_id, tried.provider_number, _TRIED_ANEW))
        await self._recording.take(answers, actor=ACTOR)
        return True

    async def _ask(self, tried: Tried, code: str | None) -> _Heard:
        """Every attempt that can be, with everybody who can have it."""
        asked = [code, *self._settings.group_of(code)] if code is not None else []
        lanes = [self._lanes[each] for each in asked if each in self._lanes]
        can_be_asked = bool(asked) and len(lanes) == len(asked)
        attempts = range(tried.attempt + 1, self._settings.attempts_maximum + 1)
        questions = [(lane, attempt) for lane in lanes for attempt in attempts]
        if any(lane.pausing.paused for lane in lanes):
            return _Heard([], is_whole=False, is_certain=False)
        answers = await asyncio.gather(
            *(lane.ask(_due(tried, attempt)) for lane, attempt in questions)
        )
        found = [
            FoundAttempt(
                instruction_id=_id_of(tried, attempt),
                tried_id=tried.instruction_id,
                attempt=attempt,
                provider_number=await lane.provider_number(),
                answer=answer,
            )
            for (lane, attempt), answer in zip(questions, answers, strict=True)
            if answer.kind in _ENDED
        ]
        return _Heard(
            found,
            is_whole=all(each.kind in (*_ENDED, AnswerKind.NOT_KNOWN) for each in answers),
            is_certain=can_be_asked
            and all(
                tried.seconds < self._remembered_seconds.get(each, 0) for each in asked if each
            ),
        )


def _id_of(tried: Tried, attempt: int) -> UUID:
    return instruction_id(tried.entitlement_id, announcement=tried.announcement, attempt=attempt)


def _due(tried: Tried, attempt: int) -> Due:
    return Due(_id_of(tried, attempt), Status.UNKNOWN, None, position=0, reason=None)
