"""Fetching an announced chunk from the registry, and raising its instructions.

The rows go from one PostgreSQL to the other as COPY bytes: nothing here makes an object of a row.
The network comes first and the transaction after it, never one inside the other.
"""

from collections.abc import Sequence

import httpx
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks.repository import AskedProviders, want_checks
from services.payments.amounts import readable
from services.payments.chunks.repository import (
    AnnouncedChunk,
    claim_announced,
    lock_if_announced,
    move_chunks,
    put_off,
)
from services.payments.chunks.states import ChunkStatus
from services.payments.funds.repository import find_bounds
from services.payments.providers.directory import ProviderDirectory
from services.payments.raising import repository
from services.payments.raising.repository import Staged
from services.payments.settings import Settings
from shared.clock import Clock
from shared.contracts.entitlements import BINARY
from shared.contracts.events import ChunkRefused
from shared.database import Database
from shared.events import publish
from shared.money import MAXIMUM_AMOUNT_MINOR

log = structlog.get_logger()

_NOT_FOUND = 404
_LATE = (
    "Its round was decided without it. Announced again (POST /v1/entitlement-chunks/{chunk_id}/"
    "reannouncement in the registry), it is reserved and released by itself."
)


class Unusable(Exception):
    """What came is not what was announced. Says how, without a value from it."""


class Refusal(Exception):
    """The chunk is not to be raised, whatever comes. Says why."""


class Fetching:
    """Fetches one chunk at a time; several of these run side by side."""

    def __init__(
        self,
        registry: httpx.AsyncClient,
        *,
        database: Database,
        directory: ProviderDirectory,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._registry = registry
        self._database = database
        self._directory = directory
        self._clock = clock
        self._settings = settings
        self._asked = AskedProviders.of(settings.providers)

    async def step(self) -> int:
        """Fetch and raise one chunk, put it off, or refuse it; returns 1 if there was one."""
        providers = list(await self._directory.numbers())
        async with self._database.transaction() as session:
            chunk = await claim_announced(session, lease_seconds=self._settings.chunk_lease_seconds)
        if chunk is None:
            return 0
        try:
            await self._raise(chunk, await self._fetch(chunk), providers)
        except httpx.HTTPError as error:
            await self._put_off(chunk, f"The registry did not give it ({_told(error)}).")
        except Unusable as unusable:
            await self._try_again_or_refuse(chunk, str(unusable))
        except Refusal as refusal:
            await self._refuse(chunk, str(refusal))
        return 1

    async def _fetch(self, chunk: AnnouncedChunk) -> bytearray:
        content = bytearray()
        path = f"/entitlement-chunks/{chunk.chunk_id}/entitlements"
        if self._asked.checked:
            # By it names are known to be what they were when they were compared.
            path += "?households=true"
        async with self._registry.stream("GET", path, headers={"Accept": BINARY}) as response:
            if response.status_code == _NOT_FOUND:
                raise Unusable("The registry does not know it.")
            response.raise_for_status()
            if response.headers.get("Content-Type") != BINARY:
                raise httpx.DecodingError("Not the agreed format.", request=response.request)
            async for part in response.aiter_bytes():
                content += part
                if len(content) > self._settings.chunk_maximum_bytes:
                    raise Unusable(f"It is larger than {self._settings.chunk_maximum_bytes} bytes.")
        return content

    async def _raise(
        self, chunk: AnnouncedChunk, content: bytearray, providers: Sequence[str]
    ) -> None:
        # Rare: one of its entitlements has an instruction from another chunk. What looks each of
        # them up is kept for then.
        for careful in (False, True):
            try:
                async with self._database.transaction() as session:
                    await self._raise_once(session, chunk, content, providers, careful=careful)
                return
            except IntegrityError as error:
                if not repository.is_second_instruction(error):
                    raise
            except repository.UNREADABLE as error:
                raise Unusable(f"Its rows cannot be read ({type(error).__name__}).") from error
        await self._put_off(chunk, "Another chunk with entitlements of it was being raised.")

    async def _raise_once(
        self,
        session: AsyncSession,
        chunk: AnnouncedChunk,
        content: bytearray,
        providers: Sequence[str],
        *,
        careful: bool,
    ) -> None:
        is_open = await lock_if_announced(session, chunk.number)
        if is_open is None:
            return
        if not is_open:
            raise Refusal(_LATE.format(chunk_id=chunk.chunk_id))
        await repository.copy_entitlements(session, content)
        maximum_minor = await _maximum_payment(session, chunk)
        staged = await repository.find_staged(
            session, chunk, providers=providers, maximum_minor=maximum_minor
        )
        if difference := _difference(chunk, staged):
            raise Unusable(difference)
        now = self._clock.now()
        await move_chunks(session, [chunk.number], ChunkStatus.RAISED, at=now)
        if staged.all_payable and not careful and not await repository.has_ended_before(session):
            await repository.raise_all(session, chunk, self._asked)
            await self._finish(session, chunk)
            return
        if await repository.count_distinct(session) != staged.entitlements:
            raise Unusable("An entitlement is in it twice.")
        count = await repository.set_aside(
            session, chunk, providers=providers, maximum_minor=maximum_minor, at=now
        )
        await repository.raise_others(session, chunk, self._asked)
        await self._finish(session, chunk)
        log.warning("entitlements_set_aside", chunk_id=str(chunk.chunk_id), count=count)

    async def _finish(self, session: AsyncSession, chunk: AnnouncedChunk) -> None:
        await repository.keep_extent(session, chunk)
        if self._asked.checked:
            await want_checks(session, chunk.number, at=self._clock.now())

    async def _try_again_or_refuse(self, chunk: AnnouncedChunk, reason: str) -> None:
        if chunk.unusable_fetches + 1 < self._settings.chunk_fetches_before_refusal:
            await self._put_off(chunk, reason, is_unusable=True)
        else:
            await self._refuse(chunk, reason)

    async def _refuse(self, chunk: AnnouncedChunk, reason: str) -> None:
        async with self._database.transaction() as session:
            refused = await move_chunks(
                session,
                [chunk.number],
                ChunkStatus.REFUSED,
                at=self._clock.now(),
                reason=reason,
            )
            if refused:
                await publish(
                    session,
                    ChunkRefused(
                        chunk_id=chunk.chunk_id, activation_id=chunk.activation_id, reason=reason
                    ),
                    clock=self._clock,
                )
        log.error("chunk_refused", chunk_id=str(chunk.chunk_id), reason=reason)

    async def _put_off(
        self, chunk: AnnouncedChunk, reason: str, *, is_unusable: bool = False
    ) -> None:
        async with self._database.transaction() as session:
            await put_off(
                session,
                chunk.number,
                reason=f"{reason} It is fetched again by itself.",
                retry=self._settings.chunk_retry,
                is_unusable=is_unusable,
            )
        log.warning("chunk_not_raised", chunk_id=str(chunk.chunk_id), reason=reason)


async def _maximum_payment(session: AsyncSession, chunk: AnnouncedChunk) -> int:
    """What its fund pays one household at most, one time. What is not known yet, because there is
    no such fund or nobody has bounded it, is looked at when the round is released."""
    bounds = await find_bounds(session, chunk.fund)
    if bounds is None or bounds.currency != chunk.currency:
        return MAXIMUM_AMOUNT_MINOR
    return bounds.maximum_payment_minor or MAXIMUM_AMOUNT_MINOR


def _difference(chunk: AnnouncedChunk, staged: Staged) -> str | None:
    """How the staged rows differ from the announcement, or None."""
    if staged.entitlements != chunk.entitlement_count:
        return f"{chunk.entitlement_count} entitlements were announced, {staged.entitlements} came."
    if staged.total_minor != chunk.total_minor:
        return (
            f"{readable(chunk.total_minor, chunk.currency)} were announced, "
            f"{readable(staged.total_minor, chunk.currency)} came."
        )
    return None


def _told(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return str(error.response.status_code)
    return type(error).__name__
