"""A chunk that is announced again: what that changes, by where it and its round stand."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.repository import (
    Announcement,
    KnownChunk,
    belong_to,
    fetch_anew,
    move_chunks,
)
from services.payments.chunks.states import ChunkStatus
from services.payments.rounds.repository import begin_supplement, move_round
from services.payments.rounds.states import RoundStatus
from shared.contracts.events import EntitlementsReady
from shared.errors import Explained


class AnnouncedOtherwise(Explained):
    """A chunk was announced before with other figures: neither can be taken for the true ones."""


async def announce_again(
    session: AsyncSession, known: KnownChunk, ready: EntitlementsReady, *, at: datetime
) -> None:
    """Have a known chunk told of again, fetched again or paid, as it needs; twice equals once.

    Raises AnnouncedOtherwise where its figures are not those of before.
    """
    if difference := _difference(known.announcement, Announcement.of(ready)):
        raise AnnouncedOtherwise(
            f"Chunk {ready.chunk_id} was announced before, with another {difference}. Nothing was "
            "changed: see it under GET /v1/chunks and in the registry, and have the registry "
            "announce what is right as a chunk of its own."
        )
    match known.status:
        case ChunkStatus.SETTLED:
            # Closing it again tells the registry again.
            await move_chunks(session, [known.number], ChunkStatus.RAISED, at=at)
        case ChunkStatus.REFUSED:
            await move_chunks(session, [known.number], ChunkStatus.ANNOUNCED, at=at)
            await fetch_anew(session, known.number)
            await _belong_to_an_open_round(session, known, ready, at=at)
        case ChunkStatus.ANNOUNCED | ChunkStatus.RAISED:
            if known.round_status is RoundStatus.REFUSED:
                await _belong_to_an_open_round(session, known, ready, at=at)


async def _belong_to_an_open_round(
    session: AsyncSession, known: KnownChunk, ready: EntitlementsReady, *, at: datetime
) -> None:
    match known.round_status:
        case RoundStatus.GATHERING:
            pass
        case RoundStatus.UNFUNDED | RoundStatus.UNAPPROVED:
            # Nothing is reserved for it yet: it is summed up again once the chunk is here.
            await move_round(session, known.round_number, RoundStatus.GATHERING, at=at, reason=None)
        case RoundStatus.RELEASED | RoundStatus.REFUSED:
            number = await begin_supplement(session, ready, at=at)
            await belong_to(session, known.number, round_number=number)


def _difference(before: Announcement, now: Announcement) -> str | None:
    """The first thing that differs between two announcements of a chunk, in words; None: none."""
    for field in fields(Announcement):
        if getattr(before, field.name) != getattr(now, field.name):
            return field.name.removesuffix("_minor").removesuffix("_id")
    return None
