"""Files that came in: what they bring is recorded, and only then do they leave the directory.

A batch that is open is read by the page, as any other; it is asked about at once where a file
speaks of it. What comes late, of lines that have an end or are another batch's by now, is an answer
about each of them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.alarms.repository import ProviderAlarm, raise_of_provider
from services.payments.alarms.tables import AlarmKind
from services.payments.answers.recording import Recording
from services.payments.answers.repository import store_answers
from services.payments.batches import repository
from services.payments.batches.results import heard_of
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.files import FileAdapter, FileFault, FileFaultKind, FileNews
from shared.clock import Clock
from shared.database import Database

ACTOR = "files"

_KINDS = {
    FileFaultKind.SET_ASIDE: AlarmKind.FILE_SET_ASIDE,
    FileFaultKind.DIFFERS: AlarmKind.FILE_DIFFERS,
    FileFaultKind.LINES_NOT_OURS: AlarmKind.LINES_NOT_OURS,
}
_DETAILS = {
    FileFaultKind.SET_ASIDE: "A file that came in says nothing that we can use, and was set aside. "
    "Ask the provider for another, or put it back into the incoming directory.",
    FileFaultKind.DIFFERS: "A file that was to leave is there already, with other bytes: nothing "
    "was written over it. Ask the provider what it has of that name.",
    FileFaultKind.LINES_NOT_OURS: "A file that came in speaks of lines that are not in the file "
    "that it is about: they were left out. Ask the provider what it paid.",
}


class TakingFiles:
    """Takes in what one provider answers by files."""

    def __init__(
        self,
        adapter: FileAdapter,
        *,
        directory: ProviderDirectory,
        database: Database,
        recording: Recording,
        clock: Clock,
        size: int,
    ) -> None:
        self._adapter = adapter
        self._directory = directory
        self._database = database
        self._recording = recording
        self._clock = clock
        self._size = size

    async def step(self) -> int:
        """Record what some files bring; returns how many they were."""
        news = await self._adapter.take_files(limit=self._size)
        if not news:
            return 0
        number = await self._directory.number_of(self._adapter.code)
        async with self._database.transaction() as session:
            late = [
                heard_of(result, provider_number=number)
                for file in news
                if file.batch is not None
                for result in await repository.late_of(session, file.batch.batch_id, file.results)
            ]
            stored = await store_answers(session, late, actor=ACTOR) if late else []
            names = [file.batch.provider_batch_id for file in news if file.batch is not None]
            await repository.ask_now(session, number, [name for name in names if name])
            await self._tell(session, number, news, at=self._clock.now())
        await self._recording.apply(stored)
        for file in news:
            await self._adapter.end_file(file)
        return len(news)

    async def _tell(
        self, session: AsyncSession, number: int, news: Sequence[FileNews], *, at: datetime
    ) -> None:
        alarms = [
            ProviderAlarm(number, _KINDS[fault.kind], _detail(fault))
            for fault in (file.fault for file in news)
            if fault is not None
        ]
        await raise_of_provider(session, alarms, at=at)


def _detail(fault: FileFault) -> str:
    return f"{_DETAILS[fault.kind]} It is {fault.name} of the state directory; {fault.reason}."
