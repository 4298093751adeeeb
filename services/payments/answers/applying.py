"""Taking up stored answers that were not applied when they came: applied until they are."""

from services.payments.answers.recording import Recorded, Recording


class ApplyingAnswers:
    """Applies what waits, a set at a time."""

    def __init__(self, recording: Recording, *, size: int) -> None:
        self._recording = recording
        self._size = size

    async def step(self) -> int:
        """Try those whose time has come; returns how many were applied."""
        results = await self._recording.apply(await self._recording.pick(size=self._size))
        return results.count(Recorded.APPLIED)
