"""Which keys a service's rows need: so that none is taken out, or exchanged, while one does.

A process that starts says which keys it has; what was said before has to be among them, until
`python -m services reseal` or `reindex` finds that no row needs a key any more. What is kept of a
key is a fingerprint, from which it cannot be learnt.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretBytes
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database
from shared.errors import Explained
from shared.personal_data import fingerprint_of

UNVERSIONED = 0


class KeyNeeded(Explained):
    """A key is missing, or is another than before, and rows need it."""


def known_key_table(metadata: MetaData) -> Table:
    """A service's record of its keys, in its own schema."""
    return Table(
        "known_key",
        metadata,
        Column("variable", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column(
            "first_seen_at", DateTime(timezone=True), nullable=False, server_default=text("now()")
        ),
        Column("emptied_at", DateTime(timezone=True)),
        PrimaryKeyConstraint("variable", "version", "fingerprint"),
        comment="Keys by their fingerprints: one that is not emptied may be needed by rows.",
    )


@dataclass(frozen=True)
class KeyRing:
    """The keys that one variable gives, with those beside it that do the same.

    ``writes`` is the version that new rows get.
    """

    variable: str
    keys: Mapping[tuple[int, bytes], str]
    """What each is called, by version and fingerprint."""
    writes: tuple[int, bytes]
    remedy: str
    """What to do where one is missing."""
    seals: bool = True
    """Whether the process makes rows that need them; otherwise it only opens, and is restarted
    with a new key before any row needs it."""


def versions(
    variable: str, keys: Mapping[int, SecretBytes], *, service: str, seals: bool = True
) -> KeyRing:
    """A ring of keys by version."""
    prints = {
        version: fingerprint_of(key.get_secret_value()) for version, key in sorted(keys.items())
    }
    return KeyRing(
        variable=variable,
        keys={pair: f"version {pair[0]}" for pair in prints.items()},
        writes=(max(prints), prints[max(prints)]),
        remedy=f"put it back as it was, and take it out once `python -m services reseal {service}` "
        "says that no row needs it. Never change a key: add a version",
        seals=seals,
    )


def unversioned(variable: str, *keys: SecretBytes, remedy: str) -> KeyRing:
    """A ring of keys without versions; the first one writes."""
    pairs = [(UNVERSIONED, fingerprint_of(key.get_secret_value())) for key in keys]
    return KeyRing(
        variable=variable,
        keys=dict.fromkeys(pairs, "the key"),
        writes=pairs[0],
        remedy=remedy,
    )


async def require_known_keys(database: Database, rings: Sequence[KeyRing], *, schema: str) -> None:
    """Keep which keys there are; raises KeyNeeded where one that rows may need is missing."""
    async with database.transaction() as session:
        missing = [line for ring in rings for line in await _missing(session, ring, schema)]
        if missing:
            raise KeyNeeded(f"{'; '.join(missing)}.")
        for ring in (ring for ring in rings if ring.seals):
            await _keep(session, ring, schema)


async def _missing(session: AsyncSession, ring: KeyRing, schema: str) -> Iterator[str]:
    rows = await session.execute(
        text(
            f"SELECT version, fingerprint FROM {schema}.known_key "
            "WHERE variable = :variable AND emptied_at IS NULL ORDER BY version"
        ),
        {"variable": ring.variable},
    )
    return iter(
        [
            f"{ring.variable} is without a key that rows may need"
            f"{f', version {row.version}' if row.version else ''}: {ring.remedy}"
            for row in rows
            if (row.version, bytes(row.fingerprint)) not in ring.keys
        ]
    )


async def _keep(session: AsyncSession, ring: KeyRing, schema: str) -> None:
    for version, fingerprint in ring.keys:
        await session.execute(
            text(
                f"INSERT INTO {schema}.known_key (variable, version, fingerprint) "
                "VALUES (:variable, :version, :fingerprint) "
                "ON CONFLICT (variable, version, fingerprint) DO UPDATE SET emptied_at = NULL "
                "WHERE :writes AND known_key.emptied_at IS NOT NULL"
            ),
            {
                "variable": ring.variable,
                "version": version,
                "fingerprint": fingerprint,
                "writes": (version, fingerprint) == ring.writes,
            },
        )


async def let_go(
    session: AsyncSession,
    ring: KeyRing,
    *,
    needed: Collection[int],
    schema: str,
) -> Sequence[int]:
    """Keep that no row needs any key but the one that writes and those of ``needed``; which."""
    rows = await session.execute(
        text(
            f"UPDATE {schema}.known_key SET emptied_at = now() WHERE variable = :variable "
            "AND (version, fingerprint) <> (:version, :fingerprint) AND version <> ALL(:needed) "
            "AND emptied_at IS NULL RETURNING version"
        ),
        {
            "variable": ring.variable,
            "version": ring.writes[0],
            "fingerprint": ring.writes[1],
            "needed": list(needed),
        },
    )
    return sorted(rows.scalars())
