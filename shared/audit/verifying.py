"""Whether a service's audit record is what was recorded: which row was altered, deleted, inserted.

Whoever may write anything in the database can make a whole chain anew that holds in itself. That
is found by a head that was written down elsewhere: it is not in the new chain.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.audit import repository
from shared.audit.chain import BEGINNING, Head, digest_of
from shared.database import AS_OFFERED, parse_url
from shared.database_tls import DatabaseTls
from shared.migrations import connected

_SIZE = 2_000
_INSERTED_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one service."""

    service: str
    head: Head
    """The chain's end, for whoever writes it down."""
    waiting: int
    """Records that are not chained yet."""
    faults: list[str]
    """What was altered, deleted or inserted, a sentence each."""


@dataclass(slots=True)
class _Walk:
    """The chain from its beginning, link by link."""

    heads: set[Head]
    """Those that were not met yet."""
    last: Head = field(default_factory=lambda: Head(0, BEGINNING))
    doubted: tuple[Row[Any], bytes] | None = None
    """The link before where it does not hold, and the digest that its record has."""

    def take(self, link: Row[Any]) -> Iterator[str]:
        expected = self.last.sequence + 1
        yield from _missing(expected, link.sequence)
        follows = link.sequence == expected
        computed = (
            digest_of(self.last.digest, link.sequence, link.record) if link.has_record else None
        )
        if self.doubted is not None:
            yield _settled(self.doubted, next_link=link if follows else None)
            doubted_digest = self.doubted[1]
            self.doubted = None
            if link.has_record and link.digest == digest_of(
                doubted_digest, link.sequence, link.record
            ):
                computed = link.digest
        if computed is None:
            yield f"Record {link.record_id}, number {link.sequence} of the chain, was deleted."
        elif follows and computed != link.digest:
            self.doubted = (link, computed)
        self.last = Head(link.sequence, link.digest)
        self.heads.discard(self.last)

    def end(self) -> Iterator[str]:
        if self.doubted is not None:
            yield _settled(self.doubted, next_link=None)
        for head in sorted(self.heads, key=str):
            yield _not_there(head)


def verify_all(
    url: str, heads: Mapping[str, Sequence[Head]], *, tls: DatabaseTls = AS_OFFERED
) -> list[Verdict]:
    """What is found of each service, with the heads of its chain that were written down.

    Raises DatabaseUnusable with one line that says what to do.
    """
    return asyncio.run(_verify_all(url, heads, tls=tls))


async def _verify_all(
    url: str, heads: Mapping[str, Sequence[Head]], *, tls: DatabaseTls
) -> list[Verdict]:
    async with connected(parse_url(url), tls=tls) as connection:
        await connection.rollback()
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        return [await verify(connection, service, heads=heads[service]) for service in heads]


async def verify(connection: AsyncConnection, service: str, *, heads: Sequence[Head]) -> Verdict:
    """Walk the chain of a service and everything that it should hold.

    ``heads`` are earlier ends that were written down. The connection's transaction has to be
    repeatable: the chain grows meanwhile.
    """
    walk = _Walk(set(heads) - {Head(0, BEGINNING)})
    faults: list[str] = []
    while links := await repository.links(
        connection, service, after=walk.last.sequence, limit=_SIZE
    ):
        for link in links:
            faults.extend(walk.take(link))
    faults.extend(walk.end())
    last = await repository.last_link(connection, service)
    for record in await repository.inserted(
        connection, service, last.position, limit=_INSERTED_TOLD
    ):
        faults.append(
            f"Record {_named(record.id, record)} was inserted, or its link deleted: the chain had "
            "passed its place without it."
        )
    return Verdict(
        service=service,
        head=last.head,
        waiting=await repository.count_waiting(connection, service, last.position),
        faults=faults,
    )


def _missing(expected: int, found: int) -> Iterator[str]:
    if found == expected + 1:
        yield f"Link {expected} of the chain was deleted."
    elif found > expected:
        yield f"Links {expected} to {found - 1} of the chain were deleted."


def _settled(doubted: tuple[Row[Any], bytes], *, next_link: Row[Any] | None) -> str:
    """What was altered, the record or its link: the next one was made with the link's digest."""
    link, digest = doubted
    what = f"number {link.sequence} of the chain"
    record = f"Record {_named(link.record_id, link)}, {what},"
    if next_link is None or not next_link.has_record:
        return f"{record} was altered, or its link was."
    if digest_of(digest, next_link.sequence, next_link.record) == next_link.digest:
        return f"Link {link.sequence} of the chain was altered; its record is what it was."
    return f"{record} was altered."


def _not_there(head: Head) -> str:
    return (
        f"The head {head} is not in the chain: it was cut off or made anew since that was written "
        "down, or commits of the database were lost."
    )


def _named(record_id: UUID, row: Row[Any]) -> str:
    return f"{record_id} ({row.operation} by {row.subject} at {row.recorded_at:%FT%TZ})"
